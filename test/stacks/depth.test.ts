import { describeGroup } from './describe-group.ts';

await describeGroup('depth', { count: 29 });
