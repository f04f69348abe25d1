import { promisify } from 'node:util';
import Router from '@koa/router';
import { isStreet } from './addresses.mjs';
import { shippingPrice } from './carrier.mjs';
import { lookUpRate } from './exchange-rates.mjs';

const rateOf = promisify(lookUpRate);
export const router = new Router();

router.get('/quotes/:currency', async function quote(ctx) {
  const rate = await rateOf(ctx.params.currency); // mark: waits-for-callback
  ctx.body = { currency: ctx.params.currency, lamp: (49.9 * rate).toFixed(2) };
});

router.get('/shipping/:country', async function shipping(ctx) {
  const cents = await shippingPrice(ctx.params.country); // mark: route-waits-for-price
  ctx.body = { country: ctx.params.country, cents };
});

router.get('/streets/:name', function checkStreet(ctx) {
  ctx.body = { ok: isStreet(ctx.params.name) };
});
