import { describeGroup } from './describe-group.ts';

await describeGroup('collectable', { count: 15, execArgv: ['--expose-gc'] });
