import { parseArgs } from 'node:util';

export const helpText = `Usage: npm run demo [-- options]

Starts a collector and three small applications, makes seven things hang, and prints what hangwatch reports about them.
Stays up until Ctrl-C, so that you can look around on the collector's page.

Options:
  --once        end when everything is reported; exit code 0 only if each hang was reported where it is, and nothing else
  --port PORT   the collector's port (default: 4747, or a free one where that is taken)
  -h, --help    this text

The environment variable NO_COLOR turns colours off.`;

/**
 * @param {string[]} args
 * @returns {{ once: boolean, help: boolean, port: number | undefined }}
 * @throws {TypeError} for an argument that is unknown or cannot be used
 */
export function parseCommandLine(args) {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: 'boolean', default: false },
      port: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.port !== undefined && !(/^\d{1,5}$/.test(values.port) && Number(values.port) <= 65_535)) {
    throw new TypeError(`--port must be a number from 0 to 65535, got ${JSON.stringify(values.port)}`);
  }
  return { once: values.once, help: values.help, port: values.port === undefined ? undefined : Number(values.port) };
}
