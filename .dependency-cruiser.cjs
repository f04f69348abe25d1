// Arrows point one way only: between packages as ARCHITECTURE.md draws them, inside core between its threads.
const allowed = {
  protocol: [],
  report: ['protocol'],
  'async-hooks-helpers': [],
  core: ['protocol', 'report', 'async-hooks-helpers'],
  fastify: ['core'],
  express: ['core'],
  koa: ['core'],
  locks: ['core'],
  collector: ['protocol', 'report'],
  cli: ['collector', 'core', 'protocol', 'report'],
};

module.exports = {
  forbidden: [
    ...Object.entries(allowed).map(([name, targets]) => ({
      name: `${name}-imports-only-${targets.join('-and-') || 'nothing'}`,
      severity: 'error',
      from: { path: `^packages/${name}/src`, pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/', pathNot: `^packages/(${[name, ...targets].join('|')})/` },
    })),
    {
      name: 'tracker-knows-nothing-of-watchdog',
      comment: 'main thread and worker thread share only core/src/shared',
      severity: 'error',
      from: { path: '^packages/core/src/tracker' },
      to: { path: '^packages/core/src/watchdog' },
    },
    {
      name: 'watchdog-knows-nothing-of-tracker',
      severity: 'error',
      from: { path: '^packages/core/src/watchdog' },
      to: { path: '^packages/core/src/tracker' },
    },
    {
      name: 'shared-knows-neither-side',
      severity: 'error',
      from: { path: '^packages/core/src/shared' },
      to: { path: '^packages/core/src/(tracker|watchdog)' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(dist|node_modules|\\.tsbuild)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
