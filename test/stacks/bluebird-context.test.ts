import { describeGroup } from './describe-group.ts';

await describeGroup('bluebird-context', { count: 1 });
await describeGroup('bluebird-context', { count: 1, args: ['async-hooks'] });
