import { describeGroup } from './describe-group.ts';

await describeGroup('ignored-rejections', { count: 21 });
