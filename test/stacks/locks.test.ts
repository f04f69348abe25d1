import { describeGroup } from './describe-group.ts';

await describeGroup('locks', { count: 36 });
