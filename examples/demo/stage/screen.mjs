import { formatDump } from '@hangwatch/report';
import pc from 'picocolors';

const MAX_WIDTH = 140;

/** What the demo says, and a line at the bottom that moves while it waits (on a terminal). */
export function screen(output = process.stdout) {
  const width = Math.min(output.columns ?? 120, MAX_WIDTH);
  let status = '';

  function print(text = '') {
    if (status !== '') output.write('\r\u001b[K');
    output.write(`${text}\n`);
    if (status !== '') output.write(status);
  }

  return {
    print,
    title: (text) => print(`\n${pc.bold(text)}`),
    step: (text) => print(`  ${text}`),
    note: (text) => print(pc.dim(`  ${text}`)),
    good: (text) => print(`  ${pc.green('✓')} ${text}`),
    bad: (text) => print(`  ${pc.red('✗')} ${text}`),
    application: (name, line) => print(pc.dim(`  [${name}] ${line}`)),
    report(dump) {
      const text = formatDump(dump, { color: pc.isColorSupported, width: width - 2, now: new Date() });
      print(`\n${text.replace(/^/gm, '  ').trimEnd()}\n`);
    },
    /** Shows how far things are; without a terminal only `log` lines say so. */
    progress(text) {
      if (!output.isTTY) return;
      status = pc.dim(`  … ${text}`).slice(0, width + 10);
      output.write(`\r\u001b[K${status}`);
    },
    endProgress() {
      if (status !== '') output.write('\r\u001b[K');
      status = '';
    },
  };
}
