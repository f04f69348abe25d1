export { EXIT } from './cli-error.ts';
export { type CliIo, processIo, type TextOutput } from './cli-io.ts';
export { run } from './run.ts';
