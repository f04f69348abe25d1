// Large, and seldom needed: whoever needs it imports it then.
import { readFile } from 'node:fs/promises';
import { audit } from '../audit-log.mjs';

await audit('printing is available'); // mark: module-logs-at-top-level

/** A report as a page that can be printed. */
export function printReport(report) {
  return page(report.title, [`Total: ${report.total.toFixed(2)}`]);
}

/** A text file as a page that can be printed. */
export async function printFile(file) {
  return page(file, (await readFile(file, 'utf8')).split('\n'));
}

function page(title, lines) {
  const asHtml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<!doctype html><title>${asHtml(title)}</title><h1>${asHtml(title)}</h1><pre>${lines.map(asHtml).join('\n')}</pre>`;
}
