export { CollectorStub } from './collector-stub.ts';
export { type NodeBinary, nodeBinaries } from './node-binaries.ts';
export { runScenario, Scenario, type ScenarioOptions, type ScenarioResult } from './run-scenario.ts';
export { sampleDump } from './sample-dump.ts';
