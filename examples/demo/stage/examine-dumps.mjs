import { fileURLToPath } from 'node:url';

/**
 * Compares what has arrived in the collector with what was staged.
 *
 * @param {object[]} dumps of kind `hang` and `loop-block`
 * @param {object[]} hangs see `staged-hangs.mjs`
 * @param {Map<string, { file: string, line: number }>} marks
 * @returns {{ reported: string[], problems: string[], falseReports: string[] }} names of the hangs that are reported as they should
 *   be; what is wrong or missing about the others; stuck requests that nobody staged
 */
export function examineDumps(dumps, hangs, marks) {
  const hung = dumps.filter(({ kind }) => kind === 'hang');
  const blocks = dumps.filter(({ kind }) => kind === 'loop-block').map(({ block }) => block);
  const stuck = hung.flatMap((dump) => dump.requests.filter((request) => request.state === 'stuck'));
  const staged = new Set(hangs.flatMap((hang) => hang.requests.map((request) => request.id)));
  const reported = [];
  const problems = [];
  for (const hang of hangs) {
    const found = hang.requests.flatMap((expected) =>
      expected.block === undefined
        ? shortcomings(hang, expected, stuck, marks)
        : blockShortcomings(hang, expected, blocks, marks),
    );
    if (hang.proof !== undefined && !hung.some(({ verdict }) => isProof(verdict, hang.proof)))
      found.push(`${hang.name} was not proven to be a deadlock`);
    if (found.length === 0) reported.push(hang.name);
    problems.push(...found);
  }
  const falseReports = stuck
    .filter((request) => !staged.has(request.requestId))
    .map(
      (request) =>
        `${request.method} ${request.route} (${request.requestId ?? 'no request id'}), idle ${Math.round(request.idleMs)} ms`,
    );
  return { reported, problems, falseReports };
}

const isProof = ({ evidence, summary }, text) => evidence === 'proven-cycle' && text.test(summary);

function shortcomings(hang, expected, stuck, marks) {
  const title = `${hang.name}: ${expected.method} ${expected.path}`;
  // A request may be in several dumps: stuck ones are listed beside those that are reported later.
  const sightings = stuck.filter((request) => request.requestId === expected.id);
  if (sightings.length === 0) return [`${title} was not reported`];
  const missing = sightings.map((request) => missingPlaces(request, expected, marks));
  const best = missing.sort((a, b) => a.length - b.length)[0];
  return best.map((problem) => `${title} was reported ${problem}`);
}

function blockShortcomings(hang, { method, path, block }, blocks, marks) {
  const place = placeOf(block.frame, marks);
  const found = blocks.some(({ stack }) => stack.some((frame) => isAt(frame, place)));
  return found ? [] : [`${hang.name}: ${method} ${path} was not reported as blocking at ${place.file}:${place.line}`];
}

function missingPlaces(request, expected, marks) {
  const problems = [];
  const frames = request.stacks.flat();
  for (const name of expected.frames) {
    const place = placeOf(name, marks);
    if (!frames.some((frame) => isAt(frame, place))) problems.push(`without ${place.file}:${place.line} in its stacks`);
  }
  if (expected.checkpoint !== undefined) {
    const place = placeOf(expected.checkpoint, marks);
    if (!isAt(request.checkpoint, place)) problems.push(`without ${place.file}:${place.line} as its checkpoint`);
  }
  return problems;
}

function placeOf(name, marks) {
  const place = marks.get(name);
  if (place === undefined) throw new Error(`no source has a comment "// mark: ${name}"`);
  return place;
}

function isAt({ file, line }, place) {
  if (file === undefined || line !== place.line) return false;
  return (file.startsWith('file:') ? fileURLToPath(file) : file) === place.file;
}
