import { FleetError } from "../errors.ts";
import type { Params } from "../protocol/json-rpc.ts";
import type { FleetClient } from "./fleet.ts";

/** Hears of a changed resource: the parameters of `notifications/resources/updated`. */
export type ResourceListener = (params: Params) => void;

interface Subscription {
  readonly client: FleetClient;
  readonly listener: ResourceListener;
}

/** Resources of one fleet that one session or subscription may hear of: as many as one request may name. */
const maxPerOwner = 1000;
/** Longest URI, in characters: it is kept as long as its subscription. */
const maxUriLength = 4096;

/** Who wants to hear of which resource of one fleet (server/resources, "Subscriptions"). */
export class ResourceSubscriptions {
  readonly #byUri = new Map<string, Map<string, Subscription>>();
  readonly #perOwner = new Map<string, number>();

  /** Throws INVALID_PARAMS for one resource more than an owner may hear of, and for a URI that is too long. */
  checkRoom(uri: string, { owner }: FleetClient): void {
    if (uri.length > maxUriLength) {
      const text = `Invalid params: "uri" has ${uri.length} characters; send at most ${maxUriLength}`;
      throw new FleetError("INVALID_PARAMS", text);
    }
    if ((this.#perOwner.get(owner) ?? 0) < maxPerOwner || this.#byUri.get(uri)?.has(owner) === true) return;
    const text = `Invalid params: ${maxPerOwner} resources are subscribed to; unsubscribe from one first`;
    throw new FleetError("INVALID_PARAMS", text);
  }

  add(uri: string, client: FleetClient, listener: ResourceListener): void {
    const subscribed = this.#byUri.get(uri) ?? new Map<string, Subscription>();
    if (!subscribed.has(client.owner)) this.#count(client.owner, 1);
    this.#byUri.set(uri, subscribed.set(client.owner, { client, listener }));
  }

  /** Does anybody else still want to hear of it? */
  remove(uri: string, owner: string): boolean {
    const subscribed = this.#byUri.get(uri);
    if (subscribed?.delete(owner) === true) this.#count(owner, -1);
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

  #count(owner: string, change: number): void {
    const count = (this.#perOwner.get(owner) ?? 0) + change;
    if (count > 0) this.#perOwner.set(owner, count);
    else this.#perOwner.delete(owner);
  }

  #pairs() {
    return [...this.#byUri].flatMap(([uri, subscribed]) =>
      [...subscribed.values()].map(({ client }) => ({ uri, client })),
    );
  }
}
