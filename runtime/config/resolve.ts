import { defaults } from "./defaults.ts";
import type { ResolvedConfig, ResolvedServer } from "./resolved.ts";
import { type ConfigFile, protocolOf, type Server } from "./schema/index.ts";

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
  { scaling, timeouts, tools, protocol, isolation, ...rest }: Server,
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
  };
}
