import { describeGroup } from './describe-group.ts';

await describeGroup('robust', { count: 59 });
for (const [flag, count] of [
  ['--frozen-intrinsics', 37],
  ['--enable-source-maps', 59],
  ['--stack-trace-limit=0', 59],
  ['--disable-proto=throw', 59],
  ['--disallow-code-generation-from-strings', 58],
] as const) {
  await describeGroup('robust', { count, execArgv: [flag] });
}
// AsyncLocalStorage by the way that is the other version's default.
await describeGroup('robust', { count: 59, execArgv: ['--experimental-async-context-frame'], majors: [22] });
await describeGroup('robust', { count: 59, execArgv: ['--no-async-context-frame'], majors: [24] });
