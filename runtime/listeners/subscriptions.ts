import { randomUUID } from "node:crypto";
import { FleetError } from "../errors.ts";
import type { Use } from "../observability/bounds.ts";
import type { NoticeStream } from "../protocol/client-session.ts";
import { encodeNotification, encodeReply, type Params, type RequestId, type RpcRequest } from "../protocol/json-rpc.ts";
import { envelope } from "../protocol/modern.ts";
import type { ListCapability } from "../registry/catalog.ts";
import { leaseOfCaller } from "../registry/fleet.ts";
import type { ServiceClient } from "../routing/mcp-service.ts";
import type { McpTarget } from "./target.ts";

export interface SubscriptionsOptions {
  /** The subscription has ended: what fleets keep for its owner is to be given back. */
  readonly onGone: (client: ServiceClient) => void;
  /** Open subscriptions of one caller; the next one is refused. */
  readonly maxPerCaller: number;
}

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

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
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
  async open(stream: () => NoticeStream, target: McpTarget, { id, params }: RpcRequest): Promise<() => void> {
    const wanted = params?.notifications;
    if (typeof wanted !== "object" || wanted === null) {
      throw new FleetError("ENVELOPE_INVALID", 'Invalid params: "notifications" must be an object');
    }
    const mine = [...this.#open].filter((open) => open.target.caller === target.caller).length;
    if (mine >= this.#options.maxPerCaller) {
      const text = `${mine} subscriptions of this caller are open; close one before you open another`;
      throw new FleetError("POOL_EXHAUSTED", text);
    }
    const { capabilities } = await target.service.describe();
    const filter = honoured(wanted as Params, capabilities as Params);
    const subscription: Subscription = {
      ...{ id, target, filter, fleets: new Set<string>(), logLevel: undefined },
      ...{ owner: `listen:${randomUUID()}`, caller: target.caller, lease: leaseOfCaller(target.caller) },
      stream: stream(),
      notify: () => false,
    };
    this.#open.add(subscription);
    this.#send(subscription, "notifications/subscriptions/acknowledged", { notifications: filter });
    const updated = (about: Params) => this.#send(subscription, "notifications/resources/updated", about);
    for (const uri of (filter.resourceSubscriptions as string[] | undefined) ?? []) {
      void target.service.subscribe(subscription, uri, updated).catch(() => {});
    }
    return () => {
      if (this.#open.delete(subscription)) this.#options.onGone(subscription);
    };
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

  /** Ends all of them as the specification wants it: with the response of the request that opened them. */
  close(): void {
    for (const { id, stream } of this.#open) {
      const _meta = { [envelope.subscription]: id };
      stream.end(encodeReply(id, { result: { resultType: "complete", _meta } }));
    }
  }

  #send({ id, stream }: Subscription, method: string, params: Params): void {
    const _meta = { ...(params._meta as Params | undefined), [envelope.subscription]: id };
    stream.send(encodeNotification(method, { ...params, _meta }));
  }
}

/** What of a filter the server can honour. */
function honoured(wanted: Params, capabilities: Params): Params {
  const filter: Params = {};
  for (const [kind, key] of Object.entries(keyOf)) {
    if (wanted[key] === true && (capabilities[kind] as Params | undefined)?.listChanged === true) filter[key] = true;
  }
  const uris = wanted.resourceSubscriptions;
  if (Array.isArray(uris) && (capabilities.resources as Params | undefined)?.subscribe === true) {
    filter.resourceSubscriptions = uris.filter((uri) => typeof uri === "string");
  }
  return filter;
}
