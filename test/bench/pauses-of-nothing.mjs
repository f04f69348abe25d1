#!/usr/bin/env node
// What scale.mjs compares with: a process that does nothing but measure its own turns, as the measured one does, until its stdin ends. What it sees
// is the machine's, and the method's.
import { beginPause } from './pause.mjs';

let longestMs = 0;
let turn = beginPause();
let beating = true;
process.stdin
  .on('end', () => {
    beating = false;
  })
  .resume();
const beat = () => {
  longestMs = Math.max(longestMs, turn.end().ms);
  turn = beginPause();
  if (beating) setImmediate(beat);
  else console.log(JSON.stringify({ longestMs }));
};
beat();
