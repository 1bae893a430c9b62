import { defaults } from "./defaults.ts";
import type { ResolvedConfig, ResolvedQueue, ResolvedServer } from "./resolved.ts";
import { type ConfigFile, protocolOf, type Queue, type Server } from "./schema/index.ts";

/** Applies the defaults to a configuration that has been validated and whose references have been resolved. */
export function resolveConfig({ gateway = {}, servers }: ConfigFile): ResolvedConfig {
  const { session, admin, log, listeners, ...rest } = gateway;
  return {
    gateway: {
      ...defaults.gateway,
      ...rest,
      session: { ...defaults.session, ...session },
      listeners: { ...listeners },
      admin: { ...admin },
      log: { ...defaults.log, ...log },
    },
    servers: Object.entries(servers).map(([name, server]) => resolveServer(name, server)),
  };
}

function resolveServer(
  name: string,
  { scaling, timeouts, tools, protocol, isolation, cache, coalescing, queue, ...rest }: Server,
): ResolvedServer {
  const minInstances = scaling?.minInstances ?? defaults.scaling.minInstances;
  const settled = isolation ?? (rest.type === "custom" ? "session" : undefined);
  return {
    ...rest,
    name,
    protocol: protocol ?? (rest.endpoints?.[0] === undefined ? "stdio" : protocolOf(rest.endpoints[0])),
    ...(settled === undefined ? {} : { isolation: settled }),
    scaling: {
      ...defaults.scaling,
      // Who asks for more than the default maximum to be kept means that many.
      maxInstances: Math.max(defaults.scaling.maxInstances, minInstances),
      ...scaling,
    },
    timeouts: { ...defaults.timeouts, ...timeouts },
    tools: { deny: [], aliases: {}, ...tools },
    cache: { ...defaults.cache, ...cache },
    coalescing: { ...defaults.coalescing, ...coalescing },
    ...(queue === undefined ? {} : { queue: resolveQueue(queue) }),
  };
}

function resolveQueue(queue: Queue): ResolvedQueue {
  const minimumPercent = { ...defaults.queue.minimumPercent, ...queue.minimumPercent };
  return { ...defaults.queue, ...queue, minimumPercent };
}
