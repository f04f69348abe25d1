import type { DumpRequest } from '@hangwatch/protocol';
import { errorText, frameText, layerText } from '@hangwatch/report';
import { type Html, html } from './html.ts';

/** The last layer that was entered, and what its promise was rejected with. */
export function layerFacts(request: DumpRequest, cwd: string | undefined): Html {
  const { error } = request;
  const text = layerText(request, cwd);
  return html`${text !== undefined && html`<p>Last layer: ${text}.</p>`}${
    error !== undefined &&
    html`<p class="wait">rejected with <b>${errorText(error)}</b></p>
<figure class="stack"><ol>${error.frames.map(
      (frame) => html`<li class="${frame.kind === 'app' ? 'app' : 'other'}"><code>${frameText(frame, cwd)}</code></li>`,
    )}</ol></figure>`
  }`;
}
