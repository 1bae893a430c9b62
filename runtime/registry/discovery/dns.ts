import { Resolver } from "node:dns/promises";
import type { Logger } from "pino";
import { defaults } from "../../config/defaults.ts";
import { messageOf } from "../../errors.ts";
import type { BackendSpec } from "../backend.ts";
import { addressOf, type Scheme } from "./address.ts";
import type { FoundListener, InstanceDiscovery } from "./instance-discovery.ts";

export interface DnsDiscoveryOptions {
  readonly name: string;
  /** Without a port the name's SRV records say host, port and weight. */
  readonly port?: number;
  readonly path?: string;
  readonly refreshMs?: number;
  /** `address:port` of a name server. Defaults to the system's. */
  readonly resolver?: string;
  readonly scheme: Scheme;
  readonly log: Logger;
}

/** Answers that say that the name has no such records, rather than that nobody answered. */
const empty = new Set(["ENODATA", "ENOTFOUND"]);
const answerMs = 2000;

/** One instance for each address of a name (A, AAAA), or for each SRV record (RFC 2782). */
export class DnsDiscovery implements InstanceDiscovery {
  readonly name: string;
  readonly #options: DnsDiscoveryOptions;
  readonly #resolver: Resolver;
  #listener: FoundListener = () => {};
  #timer: NodeJS.Timeout | undefined;
  #last = "";
  #closed = false;

  constructor(options: DnsDiscoveryOptions) {
    this.#options = options;
    this.name = `dns ${options.name}`;
    this.#resolver = new Resolver({ timeout: answerMs, tries: 2 });
    if (options.resolver !== undefined) this.#resolver.setServers([options.resolver]);
  }

  start(listener: FoundListener): void {
    this.#listener = listener;
    void this.#look();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#resolver.cancel();
  }

  async #look(): Promise<void> {
    const { refreshMs = defaults.discovery.refreshMs, log } = this.#options;
    try {
      const found = await this.#resolve();
      // The order of the records changes from answer to answer.
      const sorted = found.toSorted((a, b) => (a.address < b.address ? -1 : 1));
      const text = JSON.stringify(sorted);
      if (!this.#closed && text !== this.#last) this.#listener(sorted);
      this.#last = text;
    } catch (error) {
      if (!this.#closed) log.warn({ discovery: this.name }, `not looked up: ${messageOf(error)}; trying again`);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), refreshMs).unref();
  }

  async #resolve(): Promise<readonly BackendSpec[]> {
    const { name, port, path, scheme } = this.#options;
    if (port !== undefined) {
      const hosts = await this.#hosts(name);
      return hosts.map((host) => ({ address: addressOf(scheme, host, port, path) }));
    }
    const records = await orNone(this.#resolver.resolveSrv(name));
    // Of several priorities only the best is used (RFC 2782).
    const best = Math.min(...records.map(({ priority }) => priority));
    const usable = records.filter(({ priority }) => priority === best);
    const found = await Promise.all(
      usable.map(async ({ name: target, port: at, weight }) => {
        const hosts = await this.#hosts(target);
        return hosts.map((host) => ({ address: addressOf(scheme, host, at, path), ...(weight > 0 ? { weight } : {}) }));
      }),
    );
    return found.flat();
  }

  async #hosts(name: string): Promise<readonly string[]> {
    const [four, six] = await Promise.all([
      orNone(this.#resolver.resolve4(name)),
      orNone(this.#resolver.resolve6(name)),
    ]);
    return [...four, ...six];
  }
}

/** No such record is an answer too. */
async function orNone<T>(records: Promise<T[]>): Promise<T[]> {
  return records.catch((error) => (empty.has(error.code) ? [] : Promise.reject(error)));
}
