/** Origins remembered, and attempts at each. */
const MAX_ORIGINS = 1_000;
const MAX_ATTEMPTS = 100;
/** Linux gives an attempt to connect up after some 130 s, undici after 10 s unless told otherwise: what is older has ended unheard of. */
const LONGEST_ATTEMPT_MS = 150_000;

/**
 * Connections that are being opened, by origin, whoever opens them. The end of an attempt is not always told (undici is silent about clients
 * that are destroyed meanwhile), so that attempts also end by their age.
 */
export class OpeningConnections {
  readonly #origins = new Map<string, { readonly where: string; readonly beganMs: number[] }>();

  /** @param where the address as a reader knows it, `127.0.0.1:80` */
  begin(origin: string, where: string): void {
    this.#forgetOver(origin);
    const attempts = this.#origins.get(origin) ?? { where, beganMs: [] };
    // Put last: what goes for lack of room is what nothing has been heard of for longest.
    this.#origins.delete(origin);
    this.#origins.set(origin, attempts);
    attempts.beganMs.push(performance.now());
    if (attempts.beganMs.length > MAX_ATTEMPTS) attempts.beganMs.shift();
    const [oldest] = this.#origins.keys();
    if (this.#origins.size > MAX_ORIGINS && oldest !== undefined) this.#origins.delete(oldest);
  }

  /** One of the attempts at this origin has come to an end. */
  end(origin: string): void {
    this.#forgetOver(origin);
    const attempts = this.#origins.get(origin);
    attempts?.beganMs.shift();
    if (attempts?.beganMs.length === 0) this.#origins.delete(origin);
  }

  /** Where one is being opened to, or `undefined` where none is. */
  to(origin: string): string | undefined {
    this.#forgetOver(origin);
    return this.#origins.get(origin)?.where;
  }

  #forgetOver(origin: string): void {
    const attempts = this.#origins.get(origin);
    if (attempts === undefined) return;
    const endMs = performance.now() - LONGEST_ATTEMPT_MS;
    while ((attempts.beganMs[0] ?? Number.POSITIVE_INFINITY) < endMs) attempts.beganMs.shift();
    if (attempts.beganMs.length === 0) this.#origins.delete(origin);
  }
}
