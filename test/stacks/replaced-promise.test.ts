import { describeGroup } from './describe-group.ts';

await describeGroup('replaced-promise', {
  count: 5,
  args: ['zone.js'],
  reasons: [/globalThis\.Promise is not the one of async functions/],
});
await describeGroup('replaced-promise', { count: 5, args: ['ses'] });
