// Preloaded: every look-up of this process, and of the threads that it starts, is sent to the name server on port NAME_SERVER. What the system would
// be asked for by getaddrinfo goes there, too.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import workerThreads from 'node:worker_threads';

const servers = [`127.0.0.1:${process.env.NAME_SERVER}`];
const { Resolver, promises, lookup } = dns;
const ownServer = (Base) =>
  class extends Base {
    constructor(...args) {
      super(...args);
      this.setServers(servers);
    }
  };
dns.Resolver = ownServer(Resolver);
promises.Resolver = ownServer(promises.Resolver);
dns.setServers(servers);
const system = new promises.Resolver({ timeout: 60_000 });
promises.lookup = async (host, options) => {
  const family = net.isIP(host);
  const found = family === 0 ? await system.resolve4(host) : [host];
  const all = found.map((address) => ({ address, family: net.isIP(address) }));
  return options?.all === true ? all : all[0];
};
dns.lookup = (host, options, callback = options) => {
  if (net.isIP(host) !== 0) return lookup(host, options, callback);
  promises.lookup(host, { all: true }).then(
    (all) => (options.all === true ? callback(null, all) : callback(null, all[0].address, all[0].family)),
    (error) => callback(error),
  );
};

const { Worker } = workerThreads;
workerThreads.Worker = class extends Worker {
  constructor(file, options) {
    super(file, { ...options, execArgv: [...(options?.execArgv ?? []), '--import', import.meta.url] });
  }
};
syncBuiltinESMExports();
