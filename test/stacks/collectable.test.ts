import { describeGroup } from './describe-group.ts';

await describeGroup('collectable', { count: 14, execArgv: ['--expose-gc'] });
