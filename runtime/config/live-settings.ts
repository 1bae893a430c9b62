import { isDeepStrictEqual } from "node:util";
import type { ResolvedGateway } from "./resolved.ts";

/** Settings of the gateway that are taken over without a restart. */
const live = new Set(["auth", "authorization", "rateLimiting", "cors", "allowedHosts", "allowedOrigins"]);

/** Names of those that differ, and that only a restart takes over. */
export function needRestart(next: ResolvedGateway, current: ResolvedGateway): string[] {
  const differs = (key: string) =>
    !isDeepStrictEqual(next[key as keyof ResolvedGateway], current[key as keyof ResolvedGateway]);
  const keys = new Set([...Object.keys(next), ...Object.keys(current)]);
  return [...keys].filter((key) => !live.has(key) && differs(key));
}
