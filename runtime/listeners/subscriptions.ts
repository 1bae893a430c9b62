import { randomUUID } from "node:crypto";
import { FleetError } from "../errors.ts";
import type { Use } from "../observability/bounds.ts";
import type { NoticeStream } from "../protocol/client-session.ts";
import { isObject } from "../protocol/exact-number.ts";
import { Exchange } from "../protocol/exchange.ts";
import { encodeNotification, encodeReply, type Params, type RequestId, type RpcRequest } from "../protocol/json-rpc.ts";
import { envelope } from "../protocol/modern.ts";
import type { ListCapability } from "../registry/catalog.ts";
import { leaseOfCaller } from "../registry/fleet.ts";
import type { ServiceClient } from "../routing/mcp-service.ts";
import { onCredentialEnd } from "./credential-end.ts";
import type { McpTarget } from "./target.ts";

export interface SubscriptionsOptions {
  /** The subscription has ended: what fleets keep for its owner is to be given back. */
  readonly onGone: (client: ServiceClient) => void;
  /** Can different clients have this caller's name? Then no subscription shares state with another one. */
  readonly isStranger: (caller: string) => boolean;
  /** Open subscriptions of one caller; the next one is refused. */
  readonly maxPerCaller: number;
}

/** Resources of one subscription; a client that wants more opens another one. */
const maxUris = 1000;
/** Longest URI of a resource, in characters: it is kept as long as its subscription is open. */
const maxUriLength = 4096;
/** Resources that are asked for at once: a server is not to be flooded by one request. */
const atOnce = 8;

interface Subscription extends ServiceClient {
  readonly id: RequestId;
  readonly target: McpTarget;
  readonly stream: NoticeStream;
  readonly filter: Params;
}

const keyOf = { tools: "toolsListChanged", prompts: "promptsListChanged", resources: "resourcesListChanged" } as const;

/** The open `subscriptions/listen` streams of stateless clients (basic/patterns/subscriptions). */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #open = new Set<Subscription>();
  readonly #perCaller = new Map<string, number>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Has a caller any open? */
  has(caller: string): boolean {
    return this.#perCaller.has(caller);
  }

  /** Subscriptions of the caller who has most of them, and their bound. */
  get fullest(): Use {
    const byCaller = new Map<string, number>();
    for (const { target } of this.#open) byCaller.set(target.caller, (byCaller.get(target.caller) ?? 0) + 1);
    return { size: Math.max(0, ...byCaller.values()), max: this.#options.maxPerCaller };
  }

  /**
   * Opens one: the first message names what is honoured, and each later one its subscription. Returns what is to be done
   * when the client has gone. Rejects, before anything is sent, with what is wrong with the request.
   */
  async open(stream: () => NoticeStream, target: McpTarget, { id, method, params }: RpcRequest): Promise<() => void> {
    const wanted = params?.notifications;
    if (!isObject(wanted)) {
      throw new FleetError("ENVELOPE_INVALID", 'Invalid params: "notifications" must be an object');
    }
    const uris = urisOf(wanted);
    this.#checkRoom(target.caller);
    // Each resource is a request to a server.
    const entering = target.access.enter(
      method,
      new Exchange(target.service.timeoutFor(params)),
      Math.max(uris.length, 1),
    );
    if (entering !== undefined) await entering;
    const { capabilities } = await target.service.describe();
    this.#checkRoom(target.caller);
    const filter = honoured(wanted, uris, capabilities as Params);
    const subscription: Subscription = {
      ...{ id, target, filter, fleets: new Set<string>(), logLevel: undefined },
      owner: `listen:${randomUUID()}`,
      caller: target.caller,
      attached: true,
      lease: this.#options.isStranger(target.caller) ? undefined : leaseOfCaller(target.caller),
      stream: stream(),
      notify: () => false,
    };
    this.#open.add(subscription);
    this.#count(target.caller, 1);
    this.#send(subscription, "notifications/subscriptions/acknowledged", { notifications: filter });
    const asked = ((filter.resourceSubscriptions as string[] | undefined) ?? []).values();
    for (let one = 0; one < atOnce; one += 1) void this.#subscribe(subscription, asked);
    const forget = onCredentialEnd(target, () => end(subscription));
    return () => {
      forget();
      if (!this.#open.delete(subscription)) return;
      this.#count(target.caller, -1);
      this.#options.onGone(subscription);
    };
  }

  /** Asks for one resource after the other, as long as the subscription is open. */
  async #subscribe(subscription: Subscription, uris: Iterator<string>): Promise<void> {
    const updated = (about: Params) => this.#send(subscription, "notifications/resources/updated", about);
    for (let next = uris.next(); next.done !== true && this.#open.has(subscription); next = uris.next()) {
      await subscription.target.service.subscribe(subscription, next.value, updated).catch(() => {});
    }
  }

  #checkRoom(caller: string): void {
    const mine = this.#perCaller.get(caller) ?? 0;
    if (mine < this.#options.maxPerCaller) return;
    const text = `${mine} subscriptions of this caller are open; close one before you open another`;
    throw new FleetError("POOL_EXHAUSTED", text);
  }

  #count(caller: string, change: number): void {
    const count = (this.#perCaller.get(caller) ?? 0) + change;
    if (count > 0) this.#perCaller.set(caller, count);
    else this.#perCaller.delete(caller);
  }

  /** Lists of these servers have changed: tells those who listen where they show. */
  announce(kind: ListCapability, servers: ReadonlySet<string>): void {
    for (const subscription of this.#open) {
      const { server } = subscription.target;
      if (server !== undefined && !servers.has(server)) continue;
      if (subscription.filter[keyOf[kind]]) this.#send(subscription, `notifications/${kind}/list_changed`, {});
    }
  }

  keepAlive(): void {
    for (const { stream } of this.#open) stream.keepAlive();
  }

  /** Ends all of them. */
  close(): void {
    for (const subscription of this.#open) end(subscription);
  }

  #send({ id, stream }: Subscription, method: string, params: Params): void {
    const _meta = { ...(params._meta as Params | undefined), [envelope.subscription]: id };
    stream.send(encodeNotification(method, { ...params, _meta }));
  }
}

/** Ends one as the specification wants it: with the response of the request that opened it. */
function end({ id, stream }: Subscription): void {
  const _meta = { [envelope.subscription]: id };
  stream.end(encodeReply(id, { result: { resultType: "complete", _meta } }));
}

/** The resources that a filter names, each once. Throws INVALID_PARAMS for more than one subscription may have. */
function urisOf({ resourceSubscriptions: wanted }: Params): string[] {
  if (!Array.isArray(wanted)) return [];
  if (wanted.length > maxUris) {
    const text = `Invalid params: "resourceSubscriptions" has ${wanted.length} URIs; send at most ${maxUris}`;
    throw new FleetError("INVALID_PARAMS", text);
  }
  const uris = wanted.filter((uri) => typeof uri === "string");
  if (uris.every((uri) => uri.length <= maxUriLength)) return [...new Set(uris)];
  const text = `Invalid params: a URI of "resourceSubscriptions" has more than ${maxUriLength} characters`;
  throw new FleetError("INVALID_PARAMS", text);
}

/** What of a filter the server can honour. */
function honoured(wanted: Params, uris: readonly string[], capabilities: Params): Params {
  const filter: Params = {};
  for (const [kind, key] of Object.entries(keyOf)) {
    if (wanted[key] === true && (capabilities[kind] as Params | undefined)?.listChanged === true) filter[key] = true;
  }
  if (
    Array.isArray(wanted.resourceSubscriptions) &&
    (capabilities.resources as Params | undefined)?.subscribe === true
  ) {
    filter.resourceSubscriptions = uris;
  }
  return filter;
}
