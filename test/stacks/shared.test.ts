import { describeGroup } from './describe-group.ts';

await describeGroup('shared', { count: 42 });
