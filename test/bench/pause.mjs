import { existsSync, readFileSync } from 'node:fs';

// Time on the processor, where the system tells: on a busy machine the wall clock measures the others. It ticks coarsely, so that the wall clock may know better.
const onCpu = `/proc/self/task/${process.pid}/schedstat`;
const cpuMs = existsSync(onCpu)
  ? () => Number(readFileSync(onCpu, 'latin1').split(' ', 1)[0]) / 1e6
  : () => performance.now();

/** What keeps this thread from now on until `end()`. Milliseconds. */
export function beginPause() {
  const beganMs = performance.now();
  const beganOnCpuMs = cpuMs();
  return {
    end() {
      const onCpuMs = cpuMs() - beganOnCpuMs;
      const endedMs = performance.now();
      return { ms: Math.min(onCpuMs, endedMs - beganMs), beganMs, endedMs };
    },
  };
}
