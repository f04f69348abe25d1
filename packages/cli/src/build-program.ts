import { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import type { CollectorAddress } from './collector-client.ts';
import { type CollectorCommandOptions, collectorCommand } from './commands/collector-command.ts';
import { doctorCommand } from './commands/doctor-command.ts';
import { listCommand } from './commands/list-command.ts';
import { showCommand } from './commands/show-command.ts';
import { tailCommand } from './commands/tail-command.ts';
import type { OutputOptions } from './dump-printer.ts';
import { parseDuration, parseSince, parseWhole, type Since } from './parse-arguments.ts';
import { CLI_VERSION } from './version.ts';

const EXAMPLES = `
Examples:
  hangwatch collector --port 4747 --db hangwatch.db
  hangwatch tail                        dumps as they arrive
  hangwatch list                        what has arrived, one line each
  hangwatch show 0d0f3ad2               a dump of the collector, by the beginning of its id
  hangwatch show dump.json              a dump from a file; "-" reads stdin
  hangwatch doctor http://127.0.0.1:4747    do reports arrive?
  hangwatch tail --json | jq .verdict.summary

Exit codes: 0 ok, 1 not found or failed, 2 called wrongly.`;

const COLLECTOR_EXAMPLES = `
Examples:
  hangwatch collector
  hangwatch collector --db /var/lib/hangwatch/hangwatch.db --max-age 30d
  HANGWATCH_TOKEN=… hangwatch collector --host 0.0.0.0

An address that other machines can reach needs a token. Prefer HANGWATCH_TOKEN to --token, which other users of the machine can see.`;

const DOCTOR_EXAMPLES = `
Examples:
  hangwatch doctor http://collector:4747                               is it set up right?
  hangwatch doctor http://shop:3000/self-test                          do this application's reports arrive?
  hangwatch doctor http://shop:3000/self-test http://collector:4747    do they arrive in this very collector?

An application's URL is where it has mounted selfTestHandler() of @hangwatch/core. A hang is staged in it, of no request of anybody. For a collector a
hang is staged in a process of its own, and is kept there, marked as a self-test.`;

type Reader = CollectorAddress & OutputOptions;

/** The commands and their options. */
export function buildProgram(io: CliIo): Command {
  const program = new Command('hangwatch')
    .description('Reports of requests that hang: collect them, read them.')
    .version(CLI_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .option('--color', 'colour also what is not a terminal')
    .option('--no-color', 'never colour (or NO_COLOR)')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .showSuggestionAfterError(true);

  program
    .command('collector')
    .description('receive dumps over HTTP, keep them, show them')
    .option('-p, --port <number>', 'port, 0 for a free one (HANGWATCH_PORT; default 4747)', parseWhole(0, 65_535))
    .option('--host <address>', 'address to listen on (HANGWATCH_HOST; default 127.0.0.1)')
    .option('--db <file>', 'SQLite file (HANGWATCH_DB; default hangwatch.db)')
    .option('--token <token>', 'what senders and readers must present (HANGWATCH_TOKEN)')
    .option('--allowed-host <name>', 'a name that it answers to without a token; repeatable', collect)
    .option('--max-age <duration>', 'delete dumps that are older: 90d, 12h (default 90d)', parseDuration)
    .option('--max-dumps <number>', 'keep so many dumps at most (default 100000)', parseWhole(1, 1_000_000_000))
    .option('--json', 'print the start as a line of JSON')
    .addHelpText('after', COLLECTOR_EXAMPLES)
    .action((options: CollectorCommandOptions) => collectorCommand(options, io));

  reader(program, 'show', 'print a dump')
    .argument('<file|id|->', 'a file of JSON or NDJSON, the id of a dump or its beginning, or "-" for stdin')
    .action((source: string, _options, command: Command) => showCommand(source, command.optsWithGlobals<Reader>(), io));

  reader(program, 'tail', 'print dumps as they arrive')
    .option('--since <when>', 'begin earlier: all, 10m, 2026-01-31T09:30:00Z, or an id', (text) =>
      parseSince(text, io.now()),
    )
    .action((_options, command: Command) => tailCommand(command.optsWithGlobals<Reader & { since?: Since }>(), io));

  reader(program, 'list', 'print what has arrived, one line a dump, newest first')
    .option('-n, --limit <number>', 'how many', parseWhole(1, 500), 20)
    .action((_options, command: Command) => listCommand(command.optsWithGlobals<Reader & { limit: number }>(), io));

  program
    .command('doctor')
    .description('check that reports of hangs arrive')
    .argument('<url...>', "an application's self-test, a collector, or both")
    .option('--token <token>', 'what both want to see (HANGWATCH_TOKEN)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', DOCTOR_EXAMPLES)
    .action((urls: string[], _options, command: Command) =>
      doctorCommand(urls, command.optsWithGlobals<OutputOptions & { token?: string }>(), io),
    );

  return program;
}

function reader(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('-c, --collector <url>', 'where the collector is (HANGWATCH_COLLECTOR; default http://127.0.0.1:4747)')
    .option('--token <token>', 'its token (HANGWATCH_TOKEN)')
    .option('--json', 'print JSON, one line a dump');
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
