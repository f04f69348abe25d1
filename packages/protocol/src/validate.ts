export { DUMP_LIMITS, DumpSchema } from './dump-schema.ts';
