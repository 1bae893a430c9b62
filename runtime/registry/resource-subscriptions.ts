import { FleetError } from "../errors.ts";
import type { Params } from "../protocol/json-rpc.ts";
import type { FleetClient } from "./fleet.ts";

/** Hears of a changed resource: the parameters of `notifications/resources/updated`. */
export type ResourceListener = (params: Params) => void;

interface Subscription {
  readonly client: FleetClient;
  readonly listener: ResourceListener;
}

/** Resources that one owner may hear of, and all owners of one fleet together: each costs memory here and at the server. */
export const maxOfOwner = 1000;
export const maxOfFleet = 100_000;
/** Longest URI that is subscribed to, in characters (RFC 9110, 4.1, wants 8000 supported). */
const maxUriLength = 8000;
/** Levels above a changed resource that are looked for. */
const maxLevels = 64;

/** Who wants to hear of which resource of one fleet (server/resources, "Subscriptions"). */
export class ResourceSubscriptions {
  readonly #byUri = new Map<string, Map<string, Subscription>>();
  readonly #byOwner = new Map<string, Map<string, FleetClient>>();
  /** How many each caller has, over all of its sessions. */
  readonly #byCaller = new Map<string, number>();
  #size = 0;

  /** Subscriptions of all owners. */
  get size(): number {
    return this.#size;
  }

  #check(uri: string, { owner, caller }: FleetClient): void {
    if (uri.length > maxUriLength) {
      throw new FleetError("INVALID_PARAMS", `Invalid params: "uri" has more than ${maxUriLength} characters`);
    }
    const own = this.#byOwner.get(owner);
    if (own?.has(uri)) return;
    if ((own?.size ?? 0) >= maxOfOwner) {
      const text = `Invalid params: one client can subscribe to ${maxOfOwner} resources of a server; unsubscribe from others first`;
      throw new FleetError("INVALID_PARAMS", text);
    }
    if (this.#size >= maxOfFleet) {
      throw new FleetError("OVERLOADED", `clients have ${maxOfFleet} subscriptions to this server's resources`);
    }
    // As many as are free, and no more: one caller leaves half, two a third, so that nobody can take them all.
    const mine = caller === undefined ? 0 : (this.#byCaller.get(caller) ?? 0);
    if (mine >= maxOfFleet - this.#size) {
      const text = `this caller has ${mine} subscriptions to this server's resources, and no more are free; unsubscribe from others first`;
      throw new FleetError("OVERLOADED", text);
    }
  }

  /**
   * True for one that is new. Throws INVALID_PARAMS for one more than an owner can have, and for a URI that is too long;
   * OVERLOADED for one more than the fleet can have, or a caller while others may want some.
   */
  add(uri: string, client: FleetClient, listener: ResourceListener): boolean {
    const { owner } = client;
    this.#check(uri, client);
    const subscribed = this.#byUri.get(uri) ?? new Map<string, Subscription>();
    const isNew = !subscribed.has(owner);
    if (isNew) this.#count(client, 1);
    this.#byUri.set(uri, subscribed.set(owner, { client, listener }));
    const own = this.#byOwner.get(owner) ?? new Map<string, FleetClient>();
    this.#byOwner.set(owner, own.set(uri, client));
    return isNew;
  }

  /** Does anybody else still want to hear of it? */
  remove(uri: string, owner: string): boolean {
    const subscribed = this.#byUri.get(uri);
    const gone = subscribed?.get(owner);
    if (gone !== undefined) this.#count(gone.client, -1);
    subscribed?.delete(owner);
    if (subscribed?.size === 0) this.#byUri.delete(uri);
    const own = this.#byOwner.get(owner);
    own?.delete(uri);
    if (own?.size === 0) this.#byOwner.delete(owner);
    return this.#byUri.has(uri);
  }

  #count({ caller }: FleetClient, change: number): void {
    this.#size += change;
    if (caller === undefined) return;
    const mine = (this.#byCaller.get(caller) ?? 0) + change;
    if (mine > 0) this.#byCaller.set(caller, mine);
    else this.#byCaller.delete(caller);
  }

  /** The resources that an owner hears of. */
  of(owner: string): readonly { readonly uri: string; readonly client: FleetClient }[] {
    return [...(this.#byOwner.get(owner) ?? [])].map(([uri, client]) => ({ uri, client }));
  }

  /** Takes over the subscriptions that others have had, of the clients that `moves` names. Returns them, by resource. */
  takeFrom(
    others: ResourceSubscriptions,
    moves: (client: FleetClient) => boolean,
  ): readonly { uri: string; client: FleetClient }[] {
    const moved: { uri: string; client: FleetClient }[] = [];
    for (const [uri, subscribed] of [...others.#byUri]) {
      for (const { client, listener } of [...subscribed.values()]) {
        if (!moves(client)) continue;
        others.remove(uri, client.owner);
        this.add(uri, client, listener);
        moved.push({ uri, client });
      }
    }
    return moved;
  }

  /** Each resource with one of those who want to hear of it. */
  all(): readonly { readonly uri: string; readonly client: FleetClient }[] {
    return [...this.#byUri].flatMap(([uri, subscribed]) =>
      [...subscribed.values()].slice(-1).map(({ client }) => ({ uri, client })),
    );
  }

  /** Tells those who asked for the resource, or for one that it is part of, and who may hear of it. */
  updated(params: Params, mayHear: (client: FleetClient) => boolean): void {
    const { uri } = params;
    if (typeof uri !== "string" || uri.length > maxUriLength || this.#byUri.size === 0) return;
    this.#tell(uri, params, mayHear);
    // Those above it, with and without their slash.
    let slash = uri.lastIndexOf("/");
    for (let level = 0; slash >= 0 && level < maxLevels; level += 1) {
      if (uri[slash - 1] !== "/") this.#tell(uri.slice(0, slash), params, mayHear);
      if (slash + 1 < uri.length) this.#tell(uri.slice(0, slash + 1), params, mayHear);
      slash = slash === 0 ? -1 : uri.lastIndexOf("/", slash - 1);
    }
  }

  #tell(uri: string, params: Params, mayHear: (client: FleetClient) => boolean): void {
    for (const { client, listener } of this.#byUri.get(uri)?.values() ?? []) if (mayHear(client)) listener(params);
  }
}
