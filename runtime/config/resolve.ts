import { defaults } from "./defaults.ts";
import type { ResolvedConfig, ResolvedQueue, ResolvedServer } from "./resolved.ts";
import { type ConfigFile, protocolOf, type Queue, type Server } from "./schema/index.ts";
import { shownSource } from "./shown-source.ts";

/**
 * Applies the defaults to a configuration that has been validated and whose references have been resolved. `written` is
 * the same one with its references; what is shown to people is made of it. Defaults to the resolved one.
 */
export function resolveConfig({ gateway = {}, servers }: ConfigFile, written?: ConfigFile): ResolvedConfig {
  const { session, admin, log, listeners, shared, connections, ...rest } = gateway;
  return {
    gateway: {
      ...defaults.gateway,
      ...rest,
      session: { ...defaults.session, ...session },
      listeners: { ...listeners },
      connections: { ...defaults.connections, ...connections },
      admin: { ...admin },
      log: { ...defaults.log, ...log },
      ...(shared === undefined ? {} : { shared: { ...defaults.shared, ...shared } }),
    },
    servers: Object.entries(servers).map(([name, server]) =>
      resolveServer(name, server, shownSource(written?.servers[name] ?? server)),
    ),
  };
}

function resolveServer(
  name: string,
  { scaling, timeouts, tools, protocol, isolation, loadBalancer, circuitBreaker, ...more }: Server,
  source: string,
): ResolvedServer {
  const { retry, healthCheck, concurrency, cache, coalescing, queue, batching, pool, ...rest } = more;
  const first = rest.endpoints?.[0] ?? rest.discovery?.static?.[0]?.url;
  const remote = first !== undefined || rest.discovery !== undefined;
  const minInstances = scaling?.minInstances ?? defaults.scaling.minInstances;
  const settled = isolation ?? (rest.type === "custom" ? "session" : undefined);
  return {
    ...rest,
    name,
    source,
    protocol: protocol ?? (first !== undefined ? protocolOf(first) : remote ? "http" : "stdio"),
    ...(settled === undefined ? {} : { isolation: settled }),
    scaling: {
      ...defaults.scaling,
      // Who asks for more than the default maximum to be kept means that many.
      maxInstances: Math.max(remote ? defaults.discovery.maxSessions : defaults.scaling.maxInstances, minInstances),
      ...scaling,
    },
    timeouts: { ...defaults.timeouts, ...timeouts },
    tools: { deny: [], aliases: {}, ...tools },
    cache: { ...defaults.cache, ...cache },
    pool: { ...defaults.pool, ...pool },
    coalescing: { ...defaults.coalescing, ...coalescing },
    ...(batching === undefined ? {} : { batching: { ...defaults.batching, ...batching } }),
    ...(queue === undefined ? {} : { queue: resolveQueue(queue) }),
    loadBalancer: { ...defaults.loadBalancer, ...loadBalancer },
    circuitBreaker: { ...defaults.circuitBreaker, ...circuitBreaker },
    retry: { ...defaults.retry, ...retry },
    healthCheck: {
      ...defaults.healthCheck,
      ...healthCheck,
      outlier: { ...defaults.outlier, ...healthCheck?.outlier },
    },
    concurrency: { ...defaults.concurrency, ...concurrency },
  };
}

function resolveQueue(queue: Queue): ResolvedQueue {
  const minimumPercent = { ...defaults.queue.minimumPercent, ...queue.minimumPercent };
  return { ...defaults.queue, ...queue, minimumPercent };
}
