import type { Dump } from '@hangwatch/protocol';
import { headline, severity } from '@hangwatch/report';
import { type Html, html } from './html.ts';

/** What kind of dump it is, in a word or two and a colour. */
export function badge(dump: Pick<Dump, 'kind' | 'verdict' | 'selfTest'>): Html {
  return html`<span class="badge ${severity(dump)}">${headline(dump)}</span>`;
}

/** A time for reading, with the age that a glance wants. */
export function timeTag(iso: string, text: string): Html {
  return html`<time datetime="${iso}">${text}</time>`;
}
