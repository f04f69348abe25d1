import { setTimeout as delay } from 'node:timers/promises';
import { logOf, nameIn } from './logging.mjs';

logOf(nameIn(import.meta.url)).want();
await delay(600_000);
