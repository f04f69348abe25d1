import { describeGroup } from './describe-group.ts';

await describeGroup('basic', { count: 31 });
