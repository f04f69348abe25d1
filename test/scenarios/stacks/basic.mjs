import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { declare, never, report } from './harness.mjs';

async function query() {
  /*@query*/ await never();
}
async function loadUser() {
  await null;
  return /*@loadUser*/ await query();
}
declare('nested awaits', ['query@query', 'loadUser@loadUser', 'handler@nested'], async function handler() {
  await null;
  return /*@nested*/ await loadUser();
});

async function noAwait() {
  return query();
}
declare(
  'return promise without await',
  ['query@query'],
  async function handler() {
    return noAwait();
  },
  {
    limit:
      'a function that has returned a promise is no longer suspended: it has no frame, as in every JavaScript stack',
  },
);
declare(
  'return promise of plain function',
  ['query@query', 'handler@plainMiddle'],
  async function handler() {
    await null;
    return /*@plainMiddle*/ await (async function mid() {
      return query();
    })();
  },
  { limit: 'mid has returned' },
);
declare('handler returns query(), plain function', ['query@query'], function handler() {
  return query();
});
declare('then chain', ['query@query'], function handler() {
  return query().then(function step() {});
});
declare('then returning a promise', ['query@query', 'handler@thenReturning'], async function handler() {
  /*@thenReturning*/ await Promise.resolve(1).then(function step() {
    return query();
  });
});
declare('catch and finally', ['query@query', 'handler@catchFinally'], async function handler() {
  /*@catchFinally*/ await query()
    .catch(() => {})
    .finally(() => {});
});
declare('finally(async clean-up)', ['query@query', 'handler@finallyAsync'], async function handler() {
  /*@finallyAsync*/ await Promise.resolve(1).finally(() => query());
});
declare('new Promise(resolve => resolve(p))', ['query@query', 'handler@resolveP'], async function handler() {
  /*@resolveP*/ await new Promise((resolve) => resolve(query()));
});
declare(
  'new Promise(async executor)',
  ['handler@asyncExecutor'],
  async function handler() {
    const executor = async (resolve) => {
      resolve(/*@executor*/ await query());
    };
    /*@asyncExecutor*/ await new Promise(executor);
  },
  {
    other: [['query@query', 'executor@executor']],
    limit: 'V8 has no link from the executor to the promise that it will resolve',
  },
);
declare('Promise.all', ['query@query', 'handler@all'], async function handler() {
  /*@all*/ await Promise.all([1, query()]);
});
declare('Promise.allSettled', ['query@query', 'handler@allSettled'], async function handler() {
  /*@allSettled*/ await Promise.allSettled([1, query()]);
});
declare('Promise.any', ['query@query', 'handler@any'], async function handler() {
  /*@any*/ await Promise.any([query()]);
});
declare('Promise.race', ['query@query', 'handler@race'], async function handler() {
  /*@race*/ await Promise.race([query(), query()]);
});
declare('Promise.all of two pending: the first', ['query@query', 'handler@allTwo'], async function handler() {
  /*@allTwo*/ await Promise.all([query(), loadUser()]);
});
declare(
  'Promise.all of two pending: the second',
  ['query@query', 'loadUser@loadUser', 'handler@allTwoB'],
  async function handler() {
    /*@allTwoB*/ await Promise.all([query(), loadUser()]);
  },
);
declare('Promise.all in Promise.all', ['query@query', 'handler@allAll'], async function handler() {
  /*@allAll*/ await Promise.all([Promise.all([query()])]);
});
declare('race with a timeout', ['query@query', 'handler@raceTimeout'], async function handler() {
  /*@raceTimeout*/ await Promise.race([query(), sleep(1e6, null, { ref: false })]);
});

async function* rows() {
  /*@rows*/ await query();
  yield 1;
}
declare('async generator', ['query@query', 'rows@rows', 'handler@generator'], async function handler() {
  for await (const /*@generator*/ _ of rows()) {
    // never
  }
});
async function* outerRows() {
  /*@outerRows*/ yield* rows();
}
declare(
  'yield* of an async generator',
  ['query@query', 'rows@rows', 'outerRows@outerRows', 'handler@yieldStar'],
  async function handler() {
    for await (const /*@yieldStar*/ _ of outerRows()) {
      // never
    }
  },
);
declare('for await over an array of promises', ['query@query', 'handler@syncIterable'], async function handler() {
  for await (const /*@syncIterable*/ _ of [query()]) {
    // never
  }
});
declare(
  'Array.fromAsync',
  ['handler@fromAsync'],
  async function handler() {
    /*@fromAsync*/ await Array.fromAsync(rows());
  },
  {
    minimum: 22,
    other: [['query@query', 'rows@rows']],
    limit: 'V8 writes Array.fromAsync without a link that its walk follows',
  },
);
declare('async iterator by hand', ['handler@byHand'], async function handler() {
  for await (const /*@byHand*/ _ of { [Symbol.asyncIterator]: () => ({ next: () => never() }) }) {
    // never
  }
});
declare('after a real timer', ['query@query', 'handler@afterTimer'], async function handler() {
  await sleep(5);
  /*@afterTimer*/ await query();
});
declare('a promise whose resolver is elsewhere', ['handler@withResolvers'], async function handler() {
  const promise = never();
  /*@withResolvers*/ await promise;
});
declare('Promise.try', ['query@query', 'handler@promiseTry'], async function handler() {
  /*@promiseTry*/ await (Promise.try ? Promise.try(() => query()) : query());
});
declare(
  'top-level await of an imported module',
  ['handler@importing'],
  async function handler() {
    /*@importing*/ await import('./hang-module.mjs');
  },
  {
    other: [['(top level)@tla']],
    limit: "Node's module loader evaluates modules in C++: their awaits are seen, and not linked to the import",
  },
);
class Store {
  async #read() {
    /*@read*/ await never();
  }
  static async open(store) {
    /*@open*/ await store.#read();
  }
  load = async () => {
    /*@load*/ await Store.open(this);
  };
}
declare(
  'class methods: private, static, arrow field',
  ['#read@read', 'open@open', 'load@load', 'handler@methods'],
  async function handler() {
    /*@methods*/ await new Store().load();
  },
);
declare('anonymous arrow functions', ['(anonymous)@arrowInner', '(anonymous)@arrow'], async () => {
  /*@arrow*/ await (async () => {
    /*@arrowInner*/ await never();
  })();
});
const named = async () => /*@named*/ await never();
declare('named arrow function, expression body', ['named@named', 'handler@namedCaller'], async function handler() {
  /*@namedCaller*/ await named();
});
declare(
  'two promises that wait for each other',
  [],
  async function handler() {
    let b;
    async function first() {
      await null;
      /*@mutualA*/ await b;
    }
    async function second() {
      await null;
      /*@mutualB*/ await a;
    }
    const a = first();
    b = second();
    await a;
  },
  {
    other: [['second@mutualB', 'first@mutualA']],
    limit: 'a promise with two waiters ends the walk: the cycle shows beside the handler, whose own frame is lost',
  },
);

await report(import.meta.url, { files: [fileURLToPath(new URL('./hang-module.mjs', import.meta.url))] });
