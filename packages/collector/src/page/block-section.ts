import type { Dump } from '@hangwatch/protocol';
import { blockText, formatDuration, lastRanText } from '@hangwatch/report';
import { type Html, html } from './html.ts';
import { frameStack } from './stack-list.ts';

/** The blocked event loop of a dump: what its thread does, and its stack. */
export function blockSection({ block, process }: Dump): Html | false {
  if (block === undefined) return false;
  return html`<section><h2>The event loop</h2>
<section class="request">
<h3>Blocked <span class="since">${formatDuration(block.sinceMs)}</span></h3>
<p class="wait">${block.what}</p>
<p>${blockText(block)}</p>
${block.stack.length > 0 && frameStack(block.stack, process.cwd)}
${block.lastRan !== undefined && html`<p class="quiet">${lastRanText(block.lastRan)}</p>`}
${block.stackNote !== undefined && html`<p class="quiet">${block.stackNote}</p>`}
</section></section>`;
}
