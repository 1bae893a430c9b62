// The TypeBox definitions are types here; what runs is the JSON Schema that was made from them: loading the builder
// would cost every gateway 20 MB of memory.

export { addressRules, holdsUser } from "./address-rules.ts";
export type { Auth, Requirement } from "./auth.ts";
export type { Limits, Sandbox } from "./confinement.ts";
export type { Credentials } from "./credentials.ts";
export type { Discovery } from "./discovery.ts";
export { expressionsIn } from "./expressions.ts";
export type { ConfigFile } from "./file.ts";
export type { Admin, Gateway, Listeners, Log, MetricsLog, Session, Shared } from "./gateway.ts";
export { type ConfigIssue, type ConfigPath, issueText, pathText } from "./issue.ts";
export {
  Isolation,
  isExactVersion,
  isLoopback,
  protocolOf,
  ServerType,
  serverNamePattern,
  UpstreamProtocol,
  usualIsolation,
} from "./names.ts";
export type { Batching, Cache, Coalescing, Pool, Queue } from "./performance.ts";
export type * from "./process-platform.ts";
export type {
  Audit,
  Authorization,
  Connections,
  Cors,
  Integrity,
  Limit,
  RateLimiting,
  ServerRateLimiting,
  Tls,
} from "./protection.ts";
export type { CircuitBreaker, Concurrency, HealthCheck, LoadBalancer, Outlier, Retry } from "./resilience.ts";
export type { ProcessSource, Scaling, Server, Timeouts, Tools } from "./server.ts";
export type * from "./systemd-platform.ts";
export type { UpstreamTls } from "./upstream-tls.ts";
export { validateAgainst, validateConfig, validateGateway, validateServer } from "./validate.ts";
export { exactVersionRule } from "./version-rule.ts";
