import type { DumpRequest } from '@hangwatch/protocol';
import { errorText, frameText, layerText, pendingText } from '@hangwatch/report';
import { type Html, html } from './html.ts';

/** The last layer that was entered, what its promise was rejected with, and what callback code waits for. */
export function layerFacts(request: DumpRequest, cwd: string | undefined): Html {
  const { error } = request;
  const text = layerText(request, cwd);
  return html`${text !== undefined && html`<p>Last layer: ${text}.</p>`}${
    error !== undefined &&
    html`<p class="wait">rejected with <b>${errorText(error)}</b></p>
<figure class="stack"><ol>${error.frames.map(
      (frame) => html`<li class="${frame.kind === 'app' ? 'app' : 'other'}"><code>${frameText(frame, cwd)}</code></li>`,
    )}</ol></figure>`
  }${
    request.pending !== undefined &&
    request.pending.length > 0 &&
    html`<p>Pending: ${request.pending.map((each) => pendingText(each, cwd)).join('; ')}.</p>`
  }${
    request.seenAt !== undefined &&
    html`<p>Seen ${request.seenAt.map(({ frame, times }) => `${times} times ${frameText(frame, cwd)}`).join(', ')}.</p>`
  }${request.notesPromises === true && html`<p class="quiet">From now on requests of this route note where they make their promises.</p>`}`;
}
