import { describe, expect, it } from 'vitest';
import { addressesInHosts } from './hosts-file.ts';
import { type NameSources, resolveHost, withoutLookup } from './resolve-host.ts';

const HOSTS = `
127.0.0.1 localhost
10.0.0.7\tcollector Collector.Internal # 10.0.0.8 commented
fd00::7 collector
not-an-address other
`;

function fail(code: string): Promise<never> {
  return Promise.reject(Object.assign(new Error(code), { code }));
}

/** Sources that say which of them was asked. */
function sources(over: Partial<NameSources>, asked: string[] = []): NameSources {
  const named = <Name extends 'query' | 'system'>(name: Name) => {
    return (host: string) => {
      asked.push(name);
      return (over[name] ?? (() => fail('ENOTFOUND')))(host);
    };
  };
  return { hosts: over.hosts ?? (() => ''), query: named('query'), system: named('system') };
}

describe('addressesInHosts', () => {
  it.each([
    ['collector', ['10.0.0.7', 'fd00::7']],
    ['COLLECTOR.internal', ['10.0.0.7']],
    ['10.0.0.8', []],
    ['other', []],
    ['collect', []],
  ])('%s', (host, expected) => {
    expect(addressesInHosts(HOSTS, host)).toEqual(expected);
  });
});

describe('withoutLookup', () => {
  it.each([
    ['127.0.0.1', ['127.0.0.1']],
    ['[::1]', ['::1']],
    ['fe80::1', ['fe80::1']],
    ['localhost', ['127.0.0.1', '::1']],
    ['app.localhost', ['127.0.0.1', '::1']],
  ])('%s', (host, expected) => {
    expect(withoutLookup(host)?.map(({ address }) => address)).toEqual(expected);
  });

  it.each(['collector', 'localhost.example.org', '1.2.3', 'mylocalhost'])('%s must be looked up', (host) => {
    expect(withoutLookup(host)).toBeUndefined();
  });
});

describe('resolveHost', () => {
  it('asks nobody for a literal address or a name of the hosts file', async () => {
    const asked: string[] = [];
    expect(await resolveHost('10.1.2.3', sources({}, asked))).toEqual([{ address: '10.1.2.3', family: 4 }]);
    expect(await resolveHost('collector', sources({ hosts: () => HOSTS }, asked))).toEqual([
      { address: '10.0.0.7', family: 4 },
      { address: 'fd00::7', family: 6 },
    ]);
    expect(asked).toEqual([]);
  });

  it('takes what a name server says, without the thread pool', async () => {
    const asked: string[] = [];
    const answer = [{ address: '192.0.2.1', family: 4 }];
    expect(await resolveHost('collector', sources({ query: async () => answer }, asked))).toBe(answer);
    expect(asked).toEqual(['query']);
  });

  it.each(['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'EREFUSED'])(
    'asks the system when a name server has answered %s',
    async (code) => {
      const asked: string[] = [];
      const answer = [{ address: '192.0.2.2', family: 4 }];
      expect(
        await resolveHost('collector', sources({ query: () => fail(code), system: async () => answer }, asked)),
      ).toBe(answer);
      expect(asked).toEqual(['query', 'system']);
    },
  );

  it.each(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED'])(
    'does not take a pool thread when name servers fail with %s',
    async (code) => {
      const asked: string[] = [];
      await expect(resolveHost('collector', sources({ query: () => fail(code) }, asked))).rejects.toMatchObject({
        code,
      });
      expect(asked).toEqual(['query']);
    },
  );

  it('resolves localhost for real', async () => {
    expect(await resolveHost('localhost')).toContainEqual({ address: '127.0.0.1', family: 4 });
  });
});
