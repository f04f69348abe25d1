import type { HangwatchOptions } from '@hangwatch/core';
import { openWatch, selfTest, type Watch } from '@hangwatch/core/adapter';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import fp from 'fastify-plugin';
import { enterHook } from './enter.ts';
import { isFunction, wrapHook } from './phases.ts';
import { checkRoute, wrapRoute } from './route.ts';
import { selfTestHandler } from './self-test-handler.ts';
import { labelOf, wrapLayer } from './wrap.ts';

type Method = (this: FastifyInstance, ...args: unknown[]) => FastifyInstance;

/** What the package exports: see {@link hangwatch}. */
export interface Hangwatch extends FastifyPluginCallback<HangwatchOptions> {
  /** Stages a hang in this process and waits until a collector has acknowledged its report: see `selfTest` of `@hangwatch/core`. */
  readonly selfTest: typeof selfTest;
  /**
   * A handler that answers with what {@link selfTest} says, as JSON: 200, or 503 with the failed step. At most one test in ten seconds. `hangwatch doctor URL` reads it.
   *
   * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
   * @example
   * app.get('/self-test', hangwatch.selfTestHandler({ token: process.env.OPS_TOKEN }));
   */
  readonly selfTestHandler: typeof selfTestHandler;
}

/**
 * Watches every request of the instance that it is registered on, and of the plugins inside. Register it first: hooks added and routes
 * declared before it run unnamed. When the instance closes, its registration ends.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` when an option is wrong: `register` rejects with it
 * @example
 * const app = Fastify();
 * await app.register(hangwatch, { timeout: 10_000, collector: 'http://127.0.0.1:4747' });
 * app.get('/export', { config: { hangwatch: { timeout: 120_000 } } }, handler);
 */
export const hangwatch: Hangwatch = Object.assign(fp(register, { name: '@hangwatch/fastify', fastify: '>=5' }), {
  selfTest,
  selfTestHandler,
});

function register(instance: FastifyInstance, options: HangwatchOptions, done: (error?: Error) => void): void {
  // Avvio adds options of its own to what `register` was given.
  const {
    prefix: _prefix,
    logLevel: _level,
    logSerializers: _serializers,
    ...own
  } = options as Record<string, unknown>;
  let watch: Watch;
  try {
    watch = openWatch(own as HangwatchOptions);
  } catch (error) {
    done(error as Error);
    return;
  }
  // An instance around this one may have it already; that one's requests are watched there.
  if (!instance.hasDecorator('hangwatch')) instance.decorate('hangwatch', watch);
  instance.addHook('onRoute', checkRoute);
  if (watch.enabled) {
    instance.addHook('onRoute', wrapRoute);
    instance.addHook('onRequest', enterHook(watch));
    // Fastify closes its server after the `preClose` hooks, and calls `onClose` hooks once that is done: the last registered first.
    instance.addHook('preClose', (done) => {
      watch.closing('app.close()');
      done();
    });
    instance.addHook('onClose', () => watch.end());
    replaceMethods(instance);
    instance.addHook('onListen', (done) => {
      watch.meet(instance.server);
      done();
    });
  }
  done();
}

/** Instances inside inherit these, so hooks added there are wrapped as well. What Fastify refuses goes to Fastify as it came. */
function replaceMethods(instance: FastifyInstance): void {
  const { addHook, setErrorHandler, setNotFoundHandler } = instance as unknown as Record<string, Method>;
  if (addHook === undefined || setErrorHandler === undefined || setNotFoundHandler === undefined) return;
  const replacements: Record<string, Method> = {
    addHook(name, hook) {
      return Reflect.apply(addHook, this, [name, wrapHook(String(name), hook)]);
    },
    setErrorHandler(...args) {
      return Reflect.apply(setErrorHandler, this, wrapFirstFunction(args, 'errorHandler', 1));
    },
    setNotFoundHandler(...args) {
      return Reflect.apply(setNotFoundHandler, this, wrapFirstFunction(args, 'notFoundHandler', 0));
    },
  };
  Object.assign(instance, replacements);
}

function wrapFirstFunction(args: unknown[], phase: string, at: number): unknown[] {
  return args.map((each) => (isFunction(each) ? wrapLayer(each, labelOf(phase, each), at) : each));
}
