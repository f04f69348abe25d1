import { html } from './html.ts';
import { layout } from './layout.ts';

/** A page that says one thing, such as that there is no such dump. */
export function messagePage(message: string): string {
  return layout({ title: 'hangwatch', body: html`<h1>${message}</h1><p><a href="/">All dumps</a></p>` });
}
