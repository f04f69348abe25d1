import { cleanText } from '@hangwatch/report';
import { CommanderError } from 'commander';
import { buildProgram } from './build-program.ts';
import { CliError, EXIT } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import { print } from './print.ts';

const MAX_MESSAGE = 1_000;

/**
 * Runs the command line, and resolves to the exit code: 0 ok, 1 not found or failed, 2 called wrongly. It never rejects and never
 * ends the process.
 *
 * @param argv - arguments after the command's name
 * @param io - the world outside; see {@link processIo}
 * @example
 * ```ts
 * import { processIo, run } from 'hangwatch';
 *
 * process.exitCode = await run(['show', 'dump.json'], processIo());
 * ```
 */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  // Commander writes synchronously; what it wrote is printed, and waited for, afterwards.
  const said = { out: '', err: '' };
  const program = buildProgram(io);
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      writeOut: (text) => {
        said.out += text;
      },
      writeErr: (text) => {
        said.err += text;
      },
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return await end(error, said, io);
  }
}

async function end(error: unknown, said: { out: string; err: string }, io: CliIo): Promise<number> {
  if (error instanceof CommanderError) {
    if (said.out !== '') await print(io.stdout, said.out.trimEnd());
    if (error.exitCode === 0) return EXIT.ok;
    // No command at all gets the help, a wrong call one line.
    await print(
      io.stderr,
      error.code === 'commander.help' ? said.err.trimEnd() : oneLine(error.message.replace(/^error: /, '')),
    );
    return EXIT.usage;
  }
  await print(io.stderr, oneLine(error instanceof Error ? error.message : String(error)));
  return error instanceof CliError ? error.exitCode : EXIT.failed;
}

function oneLine(message: string): string {
  return `hangwatch: ${cleanText(message.replace(/\s*\n\s*/g, ' '), MAX_MESSAGE)}`;
}
