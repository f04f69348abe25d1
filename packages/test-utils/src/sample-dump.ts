export { sampleDump } from '@hangwatch/protocol/sample';
