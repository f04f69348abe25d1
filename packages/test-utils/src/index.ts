export { sampleDump } from './sample-dump.ts';
