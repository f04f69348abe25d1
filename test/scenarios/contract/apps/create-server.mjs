import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';

const file = (name) => readFileSync(new URL(`../${name}`, import.meta.url));

/** Key and certificate of a server that speaks TLS. */
export const tlsOptions = () => ({ key: file('key.pem'), cert: file('cert.pem') });

/** A server of Node's that speaks `http`, `https`, or `http2` in clear text. */
export function createServer(scheme, listener) {
  if (scheme === 'https') return https.createServer(tlsOptions(), listener);
  return (scheme === 'http2' ? http2 : http).createServer(listener);
}
