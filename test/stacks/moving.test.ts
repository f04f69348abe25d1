import { describeGroup } from './describe-group.ts';

await describeGroup('moving', { count: 11 });
