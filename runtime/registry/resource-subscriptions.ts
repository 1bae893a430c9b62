import { FleetError } from "../errors.ts";
import type { Use } from "../observability/bounds.ts";
import type { Params } from "../protocol/json-rpc.ts";
import type { FleetClient } from "./fleet.ts";

/** Hears of a changed resource: the parameters of `notifications/resources/updated`. */
export type ResourceListener = (params: Params) => void;

interface Subscription {
  readonly client: FleetClient;
  readonly listener: ResourceListener;
}

/** Resources of one server that one owner, or all together, can hear of. */
const maxPerOwner = 1000;
const maxInAll = 100_000;

/** Who wants to hear of which resource of one fleet (server/resources, "Subscriptions"). */
export class ResourceSubscriptions {
  readonly #byUri = new Map<string, Map<string, Subscription>>();
  /** Resources of each owner. */
  readonly #counts = new Map<string, number>();
  #size = 0;

  /** Those of all owners, and their bound. */
  get use(): Use {
    return { size: this.#size, max: maxInAll };
  }

  /** May the owner hear of one more? Throws POOL_EXHAUSTED. */
  admit(uri: string, owner: string): void {
    if (this.#byUri.get(uri)?.has(owner) === true) return;
    const mine = this.#counts.get(owner) ?? 0;
    if (mine < maxPerOwner && this.#size < maxInAll) return;
    const text =
      mine < maxPerOwner
        ? `${this.#size} resources of this server are subscribed to, which is the bound; try again later`
        : `${mine} resources of this server are subscribed to; unsubscribe from one before you subscribe to another`;
    throw new FleetError("POOL_EXHAUSTED", text);
  }

  add(uri: string, client: FleetClient, listener: ResourceListener): void {
    const subscribed = this.#byUri.get(uri) ?? new Map<string, Subscription>();
    if (!subscribed.has(client.owner)) this.#count(client.owner, 1);
    this.#byUri.set(uri, subscribed.set(client.owner, { client, listener }));
  }

  /** Does anybody else still want to hear of it? */
  remove(uri: string, owner: string): boolean {
    const subscribed = this.#byUri.get(uri);
    if (subscribed?.delete(owner)) this.#count(owner, -1);
    if (subscribed?.size === 0) this.#byUri.delete(uri);
    return this.#byUri.has(uri);
  }

  /** The resources that an owner hears of. */
  of(owner: string): readonly { readonly uri: string; readonly client: FleetClient }[] {
    return this.#pairs().filter(({ client }) => client.owner === owner);
  }

  /** Each resource with one of those who want to hear of it. */
  all(): readonly { readonly uri: string; readonly client: FleetClient }[] {
    const first = new Map(this.#pairs().map((pair) => [pair.uri, pair]));
    return [...first.values()];
  }

  /** Tells those who asked for the resource, or for one that it is part of, and who may hear of it. */
  updated(params: Params, mayHear: (client: FleetClient) => boolean): void {
    const { uri: updated } = params;
    if (typeof updated !== "string") return;
    for (const [uri, subscribed] of this.#byUri) {
      if (updated !== uri && !updated.startsWith(uri.endsWith("/") ? uri : `${uri}/`)) continue;
      for (const { client, listener } of subscribed.values()) if (mayHear(client)) listener(params);
    }
  }

  #count(owner: string, change: 1 | -1): void {
    this.#size += change;
    const count = (this.#counts.get(owner) ?? 0) + change;
    if (count > 0) this.#counts.set(owner, count);
    else this.#counts.delete(owner);
  }

  #pairs() {
    return [...this.#byUri].flatMap(([uri, subscribed]) =>
      [...subscribed.values()].map(({ client }) => ({ uri, client })),
    );
  }
}
