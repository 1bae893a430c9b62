import { needRestart } from "../../config/live-settings.ts";
import { resolveConfig } from "../../config/resolve.ts";
import type { Gateway } from "../../config/schema/index.ts";

const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)/g;

/** Can a running daemon take over these settings as it is? It has the environment in which it was started. */
export function isLiveChange(next: Gateway, before: Gateway): boolean {
  const resolved = (gateway: Gateway) => resolveConfig({ gateway, servers: {} }).gateway;
  // What the pages say of a gateway without callers is settled at the start.
  if ((next.auth === undefined) !== (before.auth === undefined)) return false;
  if (needRestart(resolved(next), resolved(before)).length > 0) return false;
  const known = variablesIn(before);
  return [...variablesIn(next)].every((name) => known.has(name));
}

function variablesIn(gateway: Gateway): Set<string> {
  return new Set([...JSON.stringify(gateway).matchAll(variable)].map(([, name]) => name as string));
}
