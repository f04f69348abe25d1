import { describeGroup } from './describe-group.ts';

await describeGroup('frameworks', { count: 89 });
