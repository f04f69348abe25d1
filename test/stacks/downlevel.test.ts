import { describeGroup } from './describe-group.ts';

await describeGroup('downlevel', { count: 21 });
