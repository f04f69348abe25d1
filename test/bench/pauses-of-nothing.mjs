#!/usr/bin/env node
// What scale.mjs compares with: a process without hangwatch that works for 3 ms now and then, and measures that as the measured process does its own slices, until
// its stdin ends. What is longer is the machine's, and the method's.
import { beginPause } from './pause.mjs';

const WORK_MS = 3;
const EVERY_MS = 25;
let longestMs = 0;
const timer = setInterval(() => {
  const pause = beginPause();
  const untilMs = performance.now() + WORK_MS;
  while (performance.now() < untilMs);
  longestMs = Math.max(longestMs, pause.end().ms);
}, EVERY_MS);
process.stdin.resume().on('end', () => {
  clearInterval(timer);
  console.log(JSON.stringify({ longestMs }));
});
