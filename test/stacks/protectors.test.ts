import { describeGroup } from './describe-group.ts';

await describeGroup('protectors', { count: 5, execArgv: ['--allow-natives-syntax'] });
