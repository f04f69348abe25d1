import { longStreet } from './long-street.mjs';

/** Long enough for a report with a stack, wherever the demo runs. */
const BLOCK_MS = 1_500;

/**
 * What is made to hang, and what hangwatch has to say about it. Each is a fault of the application, provoked by plain HTTP requests:
 * `before` are requests that are answered and prepare the ground, `requests` are those that never come back.
 *
 * `frames` names marks in the source (`// mark: NAME`) that have to be in the request's await stacks; `checkpoint` one that its last
 * checkpoint has to point at, where there is no await to be found. `block` is for those that keep the event loop, and come back in the end: the
 * frame that the report of the blocked loop has to show. `proof` is what a report of a deadlock that is proven has to say.
 */
export const stagedHangs = [
  {
    name: 'import and log',
    application: 'reports',
    story: 'A imports a module whose first line logs; B holds the log’s lock and imports the same module (Fastify)',
    before: [{ method: 'POST', path: '/audit-log', status: 201 }],
    // On a machine that is very busy B may be the one for which the module is evaluated: then it waits for itself, and A for it.
    proof: /^deadlock: .*lock "audit log"/,
    requests: [
      { id: 'staged-rotate', method: 'POST', path: '/audit-log/rotate', frames: ['rotation-waits-for-import'] },
      {
        id: 'staged-print',
        method: 'GET',
        path: '/reports/q1/print',
        // A has to come while B holds the lock and has not yet begun its import.
        afterMs: 100,
        frames: ['audit-waits-for-lock', 'module-logs-at-top-level', 'request-waits-for-import'],
      },
    ],
  },
  {
    name: 'exhausted pool',
    application: 'shop',
    story: 'an early return forgets to release its connection; after two of them the pool is empty (Express 4)',
    before: [
      { method: 'GET', path: '/stock/sofa', status: 404 },
      { method: 'GET', path: '/stock/table', status: 404 },
    ],
    requests: [{ id: 'staged-stock', method: 'GET', path: '/stock/lamp', frames: ['waits-for-connection'] }],
  },
  {
    name: 'forgotten callback',
    application: 'quotes',
    story: 'a function logs its error and does not call back (Koa)',
    before: [],
    requests: [{ id: 'staged-quote', method: 'GET', path: '/quotes/XAU', frames: ['waits-for-callback'] }],
  },
  {
    name: 'handler that throws',
    application: 'shop',
    story: 'an async handler throws, an unhandledRejection handler logs it, nobody answers (Express 4)',
    before: [],
    requests: [
      { id: 'staged-invoice', method: 'GET', path: '/invoices/9999', frames: [], checkpoint: 'handler-that-throws' },
    ],
  },
  {
    name: 'silent upstream',
    application: 'quotes',
    story: 'a service accepts the connection and never answers (Koa, fetch)',
    before: [],
    requests: [
      {
        id: 'staged-shipping',
        method: 'GET',
        path: '/shipping/CH',
        frames: ['waits-for-carrier', 'route-waits-for-price'],
      },
    ],
  },
  {
    name: 'evil regular expression',
    application: 'quotes',
    story:
      'a regular expression tries every way to split a long word before it gives up: the event loop stands still (Koa)',
    // Twice, so that V8 has compiled it: without, it would take ten times as long.
    before: [
      { method: 'GET', path: '/streets/High%20Street', status: 200 },
      { method: 'GET', path: '/streets/High%20Street', status: 200 },
    ],
    requests: [
      {
        id: 'staged-street',
        method: 'GET',
        path: `/streets/${longStreet(BLOCK_MS)}`,
        block: { frame: 'expression-backtracks' },
      },
    ],
  },
  {
    name: 'synchronous child process',
    application: 'reports',
    story: 'a route waits for a command with execSync, and everybody else waits with it (Fastify)',
    before: [],
    requests: [
      {
        id: 'staged-archive',
        method: 'POST',
        path: '/reports/q1/archive',
        block: { frame: 'waits-for-command' },
      },
    ],
  },
];

/** Requests that the applications answer all the while. The ledger takes longer than the time-out, and keeps on writing. */
export const healthyRequests = [
  { application: 'reports', method: 'GET', path: '/reports', everyMs: 150 },
  { application: 'reports', method: 'GET', path: '/ledger.csv', everyMs: 1_000 },
  { application: 'shop', method: 'GET', path: '/catalogue', everyMs: 150 },
  { application: 'shop', method: 'GET', path: '/invoices/2041', everyMs: 250 },
  { application: 'quotes', method: 'GET', path: '/quotes/CHF', everyMs: 150 },
];
