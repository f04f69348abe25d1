import { setTimeout as delay } from 'node:timers/promises';
import { log, nameIn } from './logging.mjs';

await Promise.race([log(nameIn(import.meta.url)), delay(600_000)]);
