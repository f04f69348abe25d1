import { declare, never, report } from './harness.mjs';

async function innermost() {
  /*@innermost*/ await never();
}
function chain(depth, resumeFirst) {
  let next = innermost;
  for (let i = 0; i < depth - 1; i++) {
    const inner = next;
    next = resumeFirst
      ? async function link() {
          await null;
          /*@resumed*/ await inner();
        }
      : async function link() {
          /*@synchronous*/ await inner();
        };
  }
  return next;
}
const times = (n, frame) => Array.from({ length: n }, () => frame);

for (const depth of [1, 5, 10, 20, 50, 150]) {
  declare(
    `chain of ${depth}, called synchronously`,
    ['innermost@innermost', ...times(depth - 1, 'link@synchronous'), 'handler@chain'],
    async function handler() {
      /*@chain*/ await chain(depth, false)();
    },
  );
}
for (const depth of [1, 5, 10, 20, 50]) {
  declare(
    `chain of ${depth}, each resumed first`,
    ['innermost@innermost', ...times(depth - 1, 'link@resumed'), 'handler@chainResumed'],
    async function handler() {
      /*@chainResumed*/ await chain(depth, true)();
    },
  );
  declare(
    `chain of ${depth}, then the innermost resumed`,
    ['leaf@leaf', ...times(depth - 1, 'link@descend'), 'handler@chainLeaf'],
    async function handler() {
      async function leaf() {
        await null;
        await null;
        /*@leaf*/ await never();
      }
      function descend(n) {
        return n === 0
          ? leaf()
          : (async function link() {
              /*@descend*/ await descend(n - 1);
            })();
      }
      /*@chainLeaf*/ await descend(depth - 1);
    },
  );
}
async function recurse(n) {
  if (n === 0) return /*@recurseEnd*/ await innermost();
  return /*@recurse*/ await recurse(n - 1);
}
declare(
  'recursion of 50',
  ['innermost@innermost', 'recurse@recurseEnd', ...times(50, 'recurse@recurse'), 'handler@recursion'],
  async function handler() {
    /*@recursion*/ await recurse(50);
  },
);
const settled = () => Array.from({ length: 1000 }, async (_, i) => i);
declare(
  'Promise.all of 1,000 made, awaited after the hung one',
  ['innermost@innermost', 'handler@before'],
  async function handler() {
    const promise = innermost();
    const rest = Promise.all(settled());
    /*@before*/ await promise;
    await rest;
  },
);
declare(
  'Promise.all of 1,000 pending and a deep one',
  ['innermost@innermost', 'handler@pending'],
  async function handler() {
    /*@pending*/ await Promise.all([innermost(), ...Array.from({ length: 1000 }, never)]);
  },
);
declare(
  'Promise.all of 1,000 settled, the first hangs',
  ['innermost@innermost', 'handler@firstHangs'],
  async function handler() {
    /*@firstHangs*/ await Promise.all([innermost(), ...settled()]);
  },
);
declare(
  'Promise.all of 1,000 with three awaits each, the first hangs',
  ['innermost@innermost', 'handler@threeAwaits'],
  async function handler() {
    const busy = Array.from({ length: 1000 }, async () => {
      await null;
      await null;
      await null;
    });
    /*@threeAwaits*/ await Promise.all([innermost(), ...busy]);
  },
);
declare('Promise.all of 1,000, the last hangs', ['innermost@innermost', 'handler@lastHangs'], async function handler() {
  const busy = Array.from({ length: 1000 }, async () => {
    await null;
  });
  /*@lastHangs*/ await Promise.all([...busy, innermost()]);
});
declare(
  '1,000 calls that nobody awaits, after',
  ['innermost@innermost', 'handler@forgotten'],
  async function handler() {
    const promise = innermost();
    for (let i = 0; i < 1000; i++) {
      (async () => {
        await null;
      })();
    }
    /*@forgotten*/ await promise;
  },
);
declare('a then chain of 1,000 beside it', ['innermost@innermost', 'handler@beside'], async function handler() {
  let chained = Promise.resolve();
  for (let i = 0; i < 1000; i++) chained = chained.then(() => {});
  /*@beside*/ await innermost();
});
declare('a loop whose 500th round hangs', ['innermost@innermost', 'handler@loop'], async function handler() {
  for (let i = 0; ; i++) {
    await null;
    if (i === 500) /*@loop*/ await innermost();
  }
});
declare(
  'Promise.all of 5,000 pending, the first deep',
  ['innermost@innermost', 'handler@fiveThousandFirst'],
  async function handler() {
    /*@fiveThousandFirst*/ await Promise.all([innermost(), ...Array.from({ length: 5000 }, never)]);
  },
);
declare(
  'Promise.all of 5,000 pending, the last deep',
  ['innermost@innermost', 'handler@fiveThousandLast'],
  async function handler() {
    /*@fiveThousandLast*/ await Promise.all([...Array.from({ length: 5000 }, never), innermost()]);
  },
);
declare(
  '3,000 races with one abort promise, then the hang',
  ['innermost@innermost', 'handler@abort'],
  async function handler() {
    const abort = never();
    for (let i = 0; i < 3000; i++) await Promise.race([Promise.resolve(i), abort]);
    /*@abort*/ await innermost();
  },
);
declare('3,000 forgotten waits, then the hang', ['innermost@innermost', 'handler@leak'], async function handler() {
  for (let i = 0; i < 3000; i++) {
    (async () => {
      await never();
    })();
  }
  await null;
  /*@leak*/ await innermost();
});

await report(import.meta.url);
