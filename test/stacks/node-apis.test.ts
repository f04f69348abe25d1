import { describeGroup } from './describe-group.ts';

await describeGroup('node-apis', { count: 48 });
