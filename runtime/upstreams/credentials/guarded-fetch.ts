import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { outgoingFetch } from "../../outgoing/outgoing-fetch.ts";
import { hasProxy, proxyFor } from "../../outgoing/proxy-rules.ts";
import type { Fetch } from "../upstream-tls.ts";
import { literal, nearest, type Scope, scopeOf } from "./address-scope.ts";

type Addresses = readonly { readonly address: string; readonly family: number }[];

/** Looks a name up, as `dns.lookup` with `all` does. */
export type Lookup = (name: string) => Promise<Addresses>;

const resolve: Lookup = (name) =>
  new Promise((found, failed) => {
    systemLookup(name, { all: true }, (error, addresses) => (error === null ? found(addresses) : failed(error)));
  });

/**
 * `fetch` for hosts that a server or an authorization server names: none is asked that is nearer than the nearest host that
 * the operator has named, so that a server on the internet cannot make the gateway ask its own machine or network. The
 * address that was judged is the one that is connected to.
 */
export class GuardedFetch {
  readonly #lookup: Lookup;
  #ask: Promise<Fetch> | undefined;
  /** Addresses in this scope and beyond can be asked. */
  #nearest: Scope | undefined;
  readonly #named: readonly string[];

  /** `named` are the hosts of URLs that stand in the configuration; a name among them is looked up once. */
  constructor(named: readonly string[], lookup: Lookup = resolve) {
    this.#named = named;
    this.#lookup = lookup;
  }

  readonly fetch: Fetch = async (url, init) => {
    const host = new URL(url).hostname;
    const limit = await this.#limit();
    const address = literal(host);
    if (address !== undefined && scopeOf(address) < limit) throw refused();
    if (proxyFor(new URL(url)) !== undefined) {
      // The proxy looks the name up; what this machine knows of it is judged all the same.
      const known = address === undefined ? await this.#lookup(host).catch(() => []) : [];
      if (known.some((one) => scopeOf(one.address) < limit)) throw refused();
      return outgoingFetch(url, init);
    }
    this.#ask ??= this.#fetcher(limit);
    return (await this.#ask)(url, init);
  };

  async #limit(): Promise<Scope> {
    if (this.#nearest !== undefined) return this.#nearest;
    const addresses = await Promise.all(
      this.#named.map(async (host) => {
        const known = literal(host);
        if (known !== undefined) return [known];
        const found = this.#lookup(host);
        // Behind a proxy a name may be known to the proxy alone.
        return (await (hasProxy() ? found.catch(() => []) : found)).map(({ address }) => address);
      }),
    );
    this.#nearest = nearest(addresses.flat());
    return this.#nearest;
  }

  async #fetcher(limit: Scope): Promise<Fetch> {
    const { Agent, fetch } = await import("../../http-client.ts");
    const lookup: LookupFunction = (name, { all }, callback) => {
      this.#lookup(name).then(
        (addresses) => {
          const [first] = addresses;
          if (first === undefined || addresses.some(({ address }) => scopeOf(address) < limit)) callback(refused(), "");
          else if (all === true) callback(null, addresses as never);
          else callback(null, first.address, first.family);
        },
        (error: NodeJS.ErrnoException) => callback(error, ""),
      );
    };
    const dispatcher = new Agent({ connect: { lookup } });
    return (url, init) => fetch(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>;
  }
}

const refused = (): Error => new Error("a host was named that is nearer to the gateway than the configured ones");
