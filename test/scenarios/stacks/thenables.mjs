import net from 'node:net';
import Bluebird from 'bluebird';
import knexFactory from 'knex';
import mongoose from 'mongoose';
import { declare, never, report } from './harness.mjs';

async function query() {
  /*@query*/ await never();
}
// Query builders have one, and are no promises.
const THEN = 'then';

class Builder {
  constructor(run) {
    this.run = run;
  }
  [THEN](onValue, onError) {
    return this.exec().then(onValue, onError);
  }
  async exec() {
    await null;
    return /*@exec*/ await this.run();
  }
}
class LazyBuilder {
  constructor(run) {
    this.run = run;
  }
  [THEN](onValue, onError) {
    this.promise ??= this.run();
    return this.promise.then(onValue, onError);
  }
}
const deaf = { [THEN]() {} };

declare('a thenable that never calls back', ['handler@deaf'], async function handler() {
  /*@deaf*/ await deaf;
});
declare('query builder with async exec', ['query@query', 'exec@exec', 'handler@builder'], async function handler() {
  /*@builder*/ await new Builder(query);
});
declare('query builder returned, not awaited', ['query@query', 'exec@exec'], async function handler() {
  return new Builder(query);
});
declare('query builders in Promise.all', ['query@query', 'exec@exec', 'handler@buildersAll'], async function handler() {
  /*@buildersAll*/ await Promise.all([new Builder(query), new Builder(query)]);
});
declare('lazy thenable', ['query@query', 'handler@lazy'], async function handler() {
  /*@lazy*/ await new LazyBuilder(query);
});
declare('query builder, then by hand', ['query@query', 'exec@exec', 'handler@thenByHand'], async function handler() {
  /*@thenByHand*/ await new Builder(query).then((x) => x);
});

class MyPromise extends Promise {}
declare('subclass, never settles', ['handler@subclass'], async function handler() {
  const promise = new MyPromise(() => {});
  globalThis.kept = promise;
  /*@subclass*/ await promise;
});
declare('subclass.resolve(query())', ['query@query', 'handler@subclassResolve'], async function handler() {
  /*@subclassResolve*/ await MyPromise.resolve(query());
});
declare(
  'new subclass(resolve => query().then(resolve))',
  ['query@query', 'handler@subclassThen'],
  async function handler() {
    /*@subclassThen*/ await new MyPromise((resolve) => query().then(resolve));
  },
);
declare(
  'new Promise(resolve => query().then(resolve))',
  ['query@query', 'handler@plainThen'],
  async function handler() {
    /*@plainThen*/ await new Promise((resolve) => query().then(resolve));
  },
);
declare(
  'new Promise((resolve, reject) => query().then(resolve, reject))',
  ['query@query', 'handler@plainThen2'],
  async function handler() {
    /*@plainThen2*/ await new Promise((resolve, reject) => query().then(resolve, reject));
  },
);
declare(
  'new Promise(resolve => query().then(x => resolve(x)))',
  ['handler@closure'],
  async function handler() {
    /*@closure*/ await new Promise((resolve) => query().then((x) => resolve(x)));
  },
  { other: [['query@query']], limit: 'only the closure knows which promise it will resolve' },
);
declare('then chain of a subclass', ['query@query', 'handler@subclassChain'], async function handler() {
  /*@subclassChain*/ await MyPromise.resolve().then(() => query());
});

const throughBluebird = "Bluebird's promises are plain objects to V8: the walk ends where it meets one";
declare('Bluebird, never settles', ['handler@bluebird'], async function handler() {
  /*@bluebird*/ await new Bluebird(() => {});
});
declare(
  'Bluebird.resolve(query())',
  ['handler@bluebirdResolve'],
  async function handler() {
    /*@bluebirdResolve*/ await Bluebird.resolve(query());
  },
  { other: [['query@query']], limit: throughBluebird },
);
declare(
  'Bluebird chain over query()',
  ['handler@bluebirdChain'],
  async function handler() {
    /*@bluebirdChain*/ await Bluebird.resolve(1)
      .then(() => query())
      .then((x) => x);
  },
  {
    limit: `${throughBluebird}; its callbacks run in another request's context unless Bluebird.config({ asyncHooks: true }) is called`,
  },
);
declare(
  'Bluebird returned',
  null,
  function handler() {
    return new Bluebird(() => {});
  },
  { limit: 'nothing of V8’s waits: the adapter hands a foreign promise back untouched' },
);
declare('Bluebird.promisify', ['handler@bluebirdPromisify'], async function handler() {
  /*@bluebirdPromisify*/ await Bluebird.promisify(() => {})();
});
declare(
  'Bluebird.all',
  ['handler@bluebirdAll'],
  async function handler() {
    /*@bluebirdAll*/ await Bluebird.all([query()]);
  },
  { other: [['query@query']], limit: throughBluebird },
);
declare(
  'Bluebird.coroutine',
  null,
  Bluebird.coroutine(function* handler() {
    yield Bluebird.resolve(1);
    yield new Bluebird(() => {});
  }),
  { limit: 'a coroutine is no async function' },
);

const Model = mongoose.model('T', new mongoose.Schema({ a: Number }, { bufferTimeoutMS: 100_000 }));
declare('mongoose findOne, not connected', ['handler@findOne'], async function handler() {
  /*@findOne*/ await Model.findOne({ a: 1 });
});
declare('mongoose save, not connected', ['handler@save'], async function handler() {
  /*@save*/ await new Model({ a: 1 }).save();
});
declare('mongoose exec()', ['handler@exec2'], async function handler() {
  /*@exec2*/ await Model.find().exec();
});

const dead = net.createServer(() => {});
await new Promise((resolve) => dead.listen(0, '127.0.0.1', resolve));
const knex = knexFactory({
  client: 'pg',
  connection: { host: '127.0.0.1', port: dead.address().port, user: 'u', password: 'p', database: 'd' },
  pool: { min: 0, max: 1 },
  acquireConnectionTimeout: 1e8,
});
declare(
  'knex select, server never answers',
  ['handler@select'],
  async function handler() {
    /*@select*/ await knex('t').select('a');
  },
  { dependency: 'acquireConnection' },
);
declare(
  'knex select, pool exhausted',
  ['handler@exhausted'],
  async function handler() {
    /*@exhausted*/ await knex('t').select('a');
  },
  { dependency: 'acquireConnection' },
);
declare(
  'knex transaction',
  ['handler@transaction'],
  async function handler() {
    /*@transaction*/ await knex.transaction(async (trx) => {
      await trx('t');
    });
  },
  { dependency: 'acquireConnection' },
);
declare(
  'knex.raw',
  ['handler@raw'],
  async function handler() {
    /*@raw*/ await knex.raw('select 1');
  },
  { dependency: 'acquireConnection' },
);

await report(import.meta.url, { waitMs: 600 });
