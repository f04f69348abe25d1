import { readFile } from 'node:fs';
import { fileURLToPath } from 'node:url';

const rates = new Map();
const waiting = new Map();

/** The rate of a currency. However many ask at once, the file is read once. */
export function lookUpRate(currency, callback) {
  const rate = rates.get(currency);
  if (rate !== undefined) return callback(null, rate);
  const others = waiting.get(currency);
  if (others !== undefined) return others.push(callback);

  waiting.set(currency, [callback]);
  const file = fileURLToPath(new URL(`rates/${encodeURIComponent(currency)}.json`, import.meta.url));
  readFile(file, 'utf8', (error, text) => {
    if (error) {
      console.error(`no rate for ${currency}: ${error.code}`);
      return; // the bug: nobody in the list is told
    }
    rates.set(currency, JSON.parse(text).rate);
    for (const done of waiting.get(currency)) done(null, rates.get(currency));
    waiting.delete(currency);
  });
}
