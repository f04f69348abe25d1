import { describeGroup } from './describe-group.ts';

await describeGroup('paused', { count: 3 });
