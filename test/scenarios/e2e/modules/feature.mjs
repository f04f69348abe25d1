import { log, nameIn } from './logging.mjs';

await log(nameIn(import.meta.url));

export const feature = 'here';
