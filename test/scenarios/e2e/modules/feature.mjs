import { log } from './logging.mjs';

await log('the feature is there');

export const feature = 'here';
