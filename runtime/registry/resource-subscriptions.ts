import type { Params } from "../protocol/json-rpc.ts";
import type { FleetClient } from "./fleet.ts";

/** Hears of a changed resource: the parameters of `notifications/resources/updated`. */
export type ResourceListener = (params: Params) => void;

interface Subscription {
  readonly client: FleetClient;
  readonly listener: ResourceListener;
}

/** Who wants to hear of which resource of one fleet (server/resources, "Subscriptions"). */
export class ResourceSubscriptions {
  readonly #byUri = new Map<string, Map<string, Subscription>>();

  add(uri: string, client: FleetClient, listener: ResourceListener): void {
    const subscribed = this.#byUri.get(uri) ?? new Map<string, Subscription>();
    this.#byUri.set(uri, subscribed.set(client.owner, { client, listener }));
  }

  /** Does anybody else still want to hear of it? */
  remove(uri: string, owner: string): boolean {
    const subscribed = this.#byUri.get(uri);
    subscribed?.delete(owner);
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

  #pairs() {
    return [...this.#byUri].flatMap(([uri, subscribed]) =>
      [...subscribed.values()].map(({ client }) => ({ uri, client })),
    );
  }
}
