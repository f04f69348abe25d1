import { describeGroup } from './describe-group.ts';

await describeGroup('beside-others', { count: 14 });
