import type {
  Audit,
  Auth,
  Authorization,
  Cache,
  Connections,
  Cors,
  Credentials,
  Discovery,
  Integrity,
  Isolation,
  Limits,
  MetricsLog,
  ProcessSource,
  RateLimiting,
  Requirement,
  Sandbox,
  ServerRateLimiting,
  ServerType,
  Timeouts,
  Tls,
  UpstreamProtocol,
  UpstreamTls,
} from "./schema/index.ts";

/** `gateway` of a configuration with every default applied and every reference resolved. */
export interface ResolvedGateway {
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly maxBodyBytes: number;
  readonly compressFromBytes: number;
  readonly drainMs: number;
  readonly lingerMs: number;
  readonly workers: number | "auto";
  readonly toolSearch: boolean;
  readonly listeners: { readonly tcp?: { readonly port: number; readonly server?: string } };
  readonly auth?: Auth;
  readonly authorization?: Authorization;
  readonly rateLimiting?: RateLimiting;
  readonly tls?: Tls;
  readonly audit?: Audit;
  readonly cors?: Cors;
  readonly connections: Readonly<Required<Omit<Connections, "maxBufferedBytes">>> &
    Pick<Connections, "maxBufferedBytes">;
  readonly session: {
    readonly keys?: readonly { readonly id: string; readonly key: string }[];
    readonly drainMs: number;
    readonly idleTimeoutMs: number;
    readonly maxAgeMs: number;
    readonly maxSessions: number;
    readonly maxSessionsPerCaller: number;
  };
  readonly admin: { readonly socket?: string };
  /** Absent: gateways share nothing. */
  readonly shared?: {
    readonly redis: string;
    readonly cacheRedis?: string;
    readonly password?: string;
    readonly prefix: string;
    readonly maxAnswerBytes: number;
  };
  /** Absent: no metrics on the standard output. */
  readonly metricsLog?: MetricsLog;
  readonly log: {
    readonly level: string;
    readonly file?: string;
    readonly maxBytes: number;
    readonly maxFiles: number;
  };
}

/** One of `servers`, likewise; what only its preset knows is still open. */
export interface ResolvedServer {
  readonly name: string;
  readonly type: ServerType;
  readonly version?: string;
  /** Where the instances of a `custom` server come from, for people: without arguments, keys and resolved references. */
  readonly source: string;
  readonly process?: ProcessSource;
  readonly endpoints?: readonly string[];
  readonly discovery?: Discovery;
  readonly protocol: UpstreamProtocol;
  readonly isolation?: Isolation;
  readonly credentials?: Credentials;
  /** Absent: TLS as the system has it. */
  readonly tls?: UpstreamTls;
  /** Absent: its processes are not measured. */
  readonly limits?: Limits;
  /** Absent: its processes see what the gateway does. */
  readonly sandbox?: Sandbox;
  readonly scaling: {
    readonly minInstances: number;
    readonly maxInstances: number;
    readonly targetInFlight: number;
    /** Absent: what its processes use starts none. */
    readonly targetCpuPercent?: number | undefined;
    readonly targetMemoryPercent?: number | undefined;
  };
  readonly timeouts: Readonly<Required<Timeouts>>;
  readonly cache: Readonly<Required<Cache>>;
  readonly coalescing: { readonly enabled: boolean; readonly tools: readonly string[] };
  /** Absent: each request goes by itself. */
  readonly batching?: ResolvedBatching;
  readonly pool: { readonly maxConnections: number; readonly idleTimeoutMs?: number; readonly maxLifetimeMs: number };
  /** Absent: calls do not wait for each other. */
  readonly queue?: ResolvedQueue;
  readonly tools: {
    readonly allow?: readonly string[];
    readonly deny: readonly string[];
    readonly aliases: Readonly<Record<string, string>>;
  };
  readonly methods: { readonly allow: readonly string[] };
  /** What callers must have, besides being authenticated. */
  readonly auth?: Requirement;
  readonly rateLimiting?: ServerRateLimiting;
  readonly integrity?: Integrity;
  readonly loadBalancer: {
    readonly strategy: string;
    readonly stickySession: boolean;
    readonly zone?: string;
    readonly slowStartMs: number;
  };
  readonly circuitBreaker: {
    readonly enabled: boolean;
    readonly errorPercent: number;
    readonly slowCallMs?: number;
    readonly slowPercent: number;
    readonly windowMs: number;
    readonly minimumCalls: number;
    readonly openMs: number;
  };
  readonly retry: {
    readonly attempts: number;
    /** Undefined when it is learnt. */
    readonly attemptMs?: number;
    readonly budgetPercent: number;
    readonly backoffMs: number;
    readonly idempotentTools: readonly string[];
    readonly hedgeAfterMs?: number;
  };
  readonly healthCheck: {
    readonly enabled: boolean;
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly unhealthyThreshold: number;
    readonly healthyThreshold: number;
    readonly path?: string;
    readonly loadPath: string;
    readonly restartAfter: number;
    readonly outlier: {
      readonly enabled: boolean;
      readonly consecutiveErrors: number;
      readonly latencyFactor: number;
      readonly latencyFloorMs: number;
      readonly maxEjectedPercent: number;
      readonly ejectionMs: number;
    };
  };
  readonly concurrency: {
    readonly maxInFlight: number;
    readonly maxQueue: number;
    readonly queueMs: number;
    readonly adaptive: boolean;
  };
  /** The gateway is not ready without a healthy instance of it. Absent: it is. */
  readonly required?: boolean;
  /** Names of other servers, in the order in which they are asked. */
  readonly fallback?: readonly string[];
}

/** How requests to a server go out together. */
export interface ResolvedBatching {
  readonly path?: string;
  readonly maxBatchSize: number;
  readonly batchTimeoutMs: number;
  readonly maxInFlight: number;
  readonly compressFrom: number;
}

/** How many calls of a server go at once, and how the others wait. */
export interface ResolvedQueue {
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
  readonly ageMs: number;
  readonly minimumPercent: { readonly high: number; readonly normal: number; readonly low: number };
}

/** A whole configuration, ready to run. */
export interface ResolvedConfig {
  readonly gateway: ResolvedGateway;
  /** In the order of the file. */
  readonly servers: readonly ResolvedServer[];
  /** Files that it was read from, those of references included. Absent: a program has made it. */
  readonly files?: readonly string[];
}
