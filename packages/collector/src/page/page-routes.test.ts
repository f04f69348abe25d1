import type { Dump } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Collector, createCollector } from '../create-collector.ts';
import { newDump } from '../store/new-dump.ts';
import { html } from './html.ts';

let collector: Collector;
beforeEach(async () => {
  collector = await createCollector({ port: 0, db: ':memory:' });
  await collector.listen();
});
afterEach(() => collector.close());

const add = (...dumps: Dump[]) => collector.store.add(dumps.map((dump) => newDump(dump, new Date())));
async function page(path: string) {
  const response = await fetch(collector.url + path);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

describe('the list', () => {
  test('says that nothing has arrived', async () => {
    const { status, type, text } = await page('/');
    expect([status, type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).toContain('No dump has arrived');
    expect(text).toContain('<meta http-equiv="refresh" content="10">');
  });

  test('shows each dump’s sentence, newest first, and links to it', async () => {
    await add(
      sampleDump({ id: 'first' }),
      sampleDump({ id: 'second', kind: 'recovered', verdict: { evidence: 'slow', summary: 'it ended' } }),
    );
    const { text } = await page('/');
    expect(text.indexOf('href="/dumps/second"')).toBeLessThan(text.indexOf('href="/dumps/first"'));
    expect(text).toContain('<span class="badge relief">RECOVERED</span> it ended');
    expect(text).toContain('<span class="badge alarm">HANG (no progress)</span> 2 of 3 requests in flight');
    expect(text).toContain('2 stuck of 3 in flight');
  });

  test('has older pages, which stand still', async () => {
    await add(...Array.from({ length: 51 }, (_, index) => sampleDump({ id: `d${index}` })));
    const first = await page('/');
    const next = /href="(\/\?before=[^"]+)" rel="next"/.exec(first.text)?.[1] ?? '';
    expect(first.text).not.toContain('"/dumps/d0"');
    const second = await page(next);
    expect(second.text).toContain('"/dumps/d0"');
    expect(second.text).not.toContain('rel="next"');
    expect(second.text).not.toContain('http-equiv="refresh"');
  });

  test('fifty dumps are one page', async () => {
    await add(...Array.from({ length: 50 }, (_, index) => sampleDump({ id: `d${index}` })));
    expect((await page('/')).text).not.toContain('rel="next"');
  });
});

describe('a dump', () => {
  test('reads as the sentence, the stuck requests with their stacks, all in flight, the process', async () => {
    await add(sampleDump({ id: 'it', follows: 'earlier', suppressed: { dumps: 2, requests: 9 } }));
    const { status, text } = await page('/dumps/it');
    expect(status).toBe(200);
    const order = [
      '<h1><span class="badge alarm">HANG (no progress)</span> 2 of 3 requests',
      '<a href="/v1/dumps/it">JSON</a>',
      'href="/dumps/earlier"',
      '<h3>#41 GET /reports',
      'waits for lock <b>logging</b> for 10.1 s',
      '<li class="app"><code>at async log (src/lib.ts:3:47)</code></li>',
      '<details><summary>2 frames of node</summary>',
      '<h3>#42 POST /logs/:name/flush',
      'waiting 10.1 s, as does #41',
      '<h2>In flight: 3</h2>',
      '#57 GET /orders/:id',
      '7 of 18 things that happened, back to 1 h 4 min ago',
      '<td>#38 GET /users/:id finished after 1 s</td>',
      '<tr class="stuck">\n<td class="number">10.3 s</td><td>#41 GET /reports entered',
      'p99 delay 12 ms, 2% busy',
      'TCPSocketWrap 4',
      '2 dumps of 9 requests',
    ].map((part) => [part, text.indexOf(part)] as const);
    expect(order.filter(([, at]) => at === -1)).toEqual([]);
    expect(order.map(([, at]) => at)).toEqual(order.map(([, at]) => at).sort((a, b) => a - b));
  });

  test('of a blocked event loop shows what it does, and its stack', async () => {
    const block = {
      sinceMs: 1_240,
      state: 'sleeping',
      cause: 'child-process',
      what: 'waits for a child process (sh)',
      systemCall: 'epoll_pwait',
      stack: [{ function: 'run', file: '/srv/orders/run.ts', line: 3, column: 5, async: false, kind: 'app' }],
      stackNote: 'the stack was taken as native code returned',
    } as const;
    await add(sampleDump({ id: 'blocked', kind: 'loop-block', block: { ...block, stack: [...block.stack] } }));
    const { text } = await page('/dumps/blocked');
    expect(text).toContain('BLOCKED (event loop)');
    expect(text).toContain('waits for a child process (sh)');
    expect(text).toContain('sleeping in epoll_pwait');
    expect(text).toContain('at run (run.ts:3:5)');
    expect(text).toContain('the stack was taken as native code returned');
  });

  test('of the end of a process says in whose context it was, and where requests were suspended', async () => {
    const requests = sampleDump().requests.map((request) => ({ ...request, state: 'moving' as const }));
    const crash = { cause: 'exit', exitCode: 5, running: 42 } as const;
    const verdict = { evidence: 'crashed', summary: 'the process exited with code 5' } as const;
    await add(sampleDump({ id: 'end', kind: 'crash', verdict, crash, requests }));
    const { text } = await page('/dumps/end');
    expect(text).toContain('In the context of #42.');
    expect(text).toContain('<h2>Where they stood</h2>');
    expect(text).not.toContain('<h2>Stuck</h2>');
    expect(text).toContain('at async log (src/lib.ts:3:47)');
  });

  test('is there as text', async () => {
    await add(sampleDump({ id: 'it' }));
    const { type, text } = await page('/dumps/it/text');
    expect(type).toBe('text/plain; charset=utf-8');
    expect(text).toMatch(/^HANG \(no progress\): 2 of 3 requests/);
  });

  test('that is not there is said on a page', async () => {
    const { status, type, text } = await page('/dumps/none');
    expect([status, type]).toEqual([404, 'text/html; charset=utf-8']);
    expect(text).toContain('There is no such dump');
  });

  test('of ten thousand requests is cut', async () => {
    const dump = sampleDump({ id: 'big' });
    const [one] = dump.requests;
    if (one === undefined) throw new Error('the sample has requests');
    await add({ ...dump, requests: Array.from({ length: 10_000 }, (_, id) => ({ ...one, id })) });
    const { text } = await page('/dumps/big');
    expect(text).toContain('9950 more are in the table');
    expect(text).toContain('9500 more are in the JSON');
    expect(text.length).toBeLessThan(500_000);
  });
});

describe('hostile strings', () => {
  const attack = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\u202e\u001b[31m&amp;`;

  function everywhere(value: unknown, key = ''): unknown {
    if (typeof value === 'string')
      return ['schema', 'id', 'kind', 'state', 'evidence', 'at', 'follows'].includes(key) ? value : attack;
    if (Array.isArray(value)) return value.map((item) => everywhere(item, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => [key === 'resources' ? attack : name, everywhere(child, name)]),
    );
  }

  test.each(['/', '/dumps/evil'])('%s shows them as text', async (path) => {
    await add(everywhere(sampleDump({ id: 'evil', follows: 'x' })) as Dump);
    const { text } = await page(path);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(['<script', '<img', '\u202e', '\u001b'].filter((part) => text.includes(part))).toEqual([]);
    // Every tag is one of the page's own.
    const tags = new Set([...text.matchAll(/<([a-z0-9]+)/g)].map((match) => match[1]));
    expect([...tags].filter((tag) => ['script', 'img', 'style', 'iframe', 'svg', 'form'].includes(tag ?? ''))).toEqual(
      [],
    );
    expect(text).not.toMatch(/\son\w+=[^&]*>/i);
  });

  test('html escapes every value, for text and for attributes', () => {
    expect(html`<p title="${attack}">${[attack, 1, undefined, false, html`<b>`]}</p>`.toString()).toBe(
      `<p title="${escaped}">${escaped}1<b></p>`,
    );
  });
  const escaped =
    '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;alert(2)&#39;&gt;\\u{202e}\\x1b[31m&amp;amp;';
});

test('the style sheet and the icon that browsers ask for', async () => {
  expect((await page('/style.css')).type).toBe('text/css; charset=utf-8');
  expect((await page('/favicon.ico')).status).toBe(204);
});
