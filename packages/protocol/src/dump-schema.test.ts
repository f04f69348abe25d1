import type { InferOutput } from 'valibot';
import { expectTypeOf, test } from 'vitest';
import type { Dump } from './dump.ts';
import type { DumpRequest } from './dump-request.ts';
import type { EnvelopeSchema, RequestSchema } from './dump-schema.ts';

// Checked by the compiler: `tsc -b` fails when the schema and the documented types drift apart.
test('the schema and the types say the same', () => {
  expectTypeOf<InferOutput<typeof RequestSchema>>().toEqualTypeOf<DumpRequest>();
  expectTypeOf<Omit<InferOutput<typeof EnvelopeSchema>, 'requests' | 'resources'>>().toEqualTypeOf<
    Omit<Dump, 'requests' | 'resources'>
  >();
});
