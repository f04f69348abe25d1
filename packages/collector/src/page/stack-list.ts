import type { Dump, DumpAwait, DumpFrame, DumpRequest } from '@hangwatch/protocol';
import { awaitText, foldFrames, frameText, noStackText } from '@hangwatch/report';
import { type Html, html } from './html.ts';

/** The await stacks of a request: the application's frames stand out, runs of others are folded. */
export function stackList(request: DumpRequest, dump: Dump): Html {
  if (request.stacks.length === 0) {
    return html`<p class="quiet">${noStackText(dump, request)}</p>`;
  }
  const omitted = request.omittedAwaits ?? 0;
  return html`${request.stacks.map((stack, index) => oneStack(stack, request.awaits?.[index], request.id, dump.process.cwd))}
${omitted > 0 && html`<p class="quiet">${omitted} more ${omitted === 1 ? 'await' : 'awaits'}, left out.</p>`}`;
}

function oneStack(stack: DumpFrame[], about: DumpAwait | undefined, id: number, cwd: string | undefined): Html {
  return html`
<figure class="stack">
${about && html`<figcaption>${about.created === true ? 'a promise that it waits for was made here, ' : about.own ? '' : 'other work in its context, '}${awaitText(about, id)}</figcaption>`}
${frameList(stack, cwd)}
</figure>`;
}

/** A synchronous stack. */
export function frameStack(stack: readonly DumpFrame[], cwd: string | undefined): Html {
  return html`<figure class="stack">${frameList(stack, cwd)}</figure>`;
}

function frameList(stack: readonly DumpFrame[], cwd: string | undefined): Html {
  return html`<ol>${foldFrames(stack).map((part) =>
    part.type === 'frame'
      ? html`<li class="${part.prominent ? 'app' : 'other'}"><code>${frameText(part.frame, cwd)}</code></li>`
      : html`<li class="other"><details><summary>${part.label}</summary><ol>${part.frames.map(
          (frame) => html`<li><code>${frameText(frame, cwd)}</code></li>`,
        )}</ol></details></li>`,
  )}</ol>`;
}
