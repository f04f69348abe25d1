import { describeGroup } from './describe-group.ts';

await describeGroup('thenables', { count: 27 });
