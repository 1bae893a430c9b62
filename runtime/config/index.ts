export { defaults } from "./defaults.ts";
export { type LoadedConfig, loadConfig, type PlacedIssue, readConfig } from "./load.ts";
export { resolveConfig } from "./resolve.ts";
export type { ResolvedConfig, ResolvedGateway, ResolvedQueue, ResolvedServer } from "./resolved.ts";
export { type ConfigWatcher, watchConfig } from "./watch.ts";
