/** Every default of the configuration with its reason; a test holds them, because a default is a contract. */
export const defaults = Object.freeze({
  gateway: Object.freeze({
    // Safe: nobody but this machine, until authentication is configured.
    host: "127.0.0.1",
    port: 8080,
    allowedHosts: [],
    allowedOrigins: [],
    // Fits a screenshot in base64 sent as an argument; still small enough to parse at once.
    maxBodyBytes: 4 * 1024 * 1024,
    // Below, a network of today carries it in less time than compressing takes.
    compressFromBytes: 64 * 1024,
    // Models choose best among tools that they see, as long as there are not hundreds.
    toolSearch: false,
    // One core carries thousands of calls per second; more processes cost memory.
    workers: 1 as number | "auto",
    // Shorter than the 30 s that process managers grant before they kill.
    drainMs: 10_000,
    lingerMs: 0,
  }),
  session: Object.freeze({
    // A person's break.
    idleTimeoutMs: 60 * 60_000,
    // A working day and a night.
    maxAgeMs: 24 * 60 * 60_000,
    // A few kilobytes each.
    maxSessions: 10_000,
    // A busy program's; one that leaks them must not push out everybody else's.
    maxSessionsPerCaller: 1000,
    // Most tasks of an agent; the old processes need memory beside the new ones.
    drainMs: 10 * 60_000,
  }),
  connections: Object.freeze({
    // A client that has something to ask says it at once; a slow one is given time for its body.
    headersTimeoutMs: 15_000,
    requestTimeoutMs: 60_000,
    // Longer than load balancers keep an idle connection (60 s), so that they close it first.
    keepAliveTimeoutMs: 65_000,
    // A JWT with many groups fits.
    maxHeaderBytes: 32 * 1024,
    maxHeaders: 100,
    // A few kilobytes each.
    maxConnections: 10_000,
    trustedProxies: [],
    proxyProtocol: false,
    proxyProtocolOptional: false,
  }),
  shared: Object.freeze({
    // Two fleets of gateways on one Redis choose another one.
    prefix: "mcp-fleet",
    // Redis answers in a millisecond also while it takes some of these; lists of tools fit.
    maxAnswerBytes: 100 * 1024,
  }),
  log: Object.freeze({
    level: "info",
    maxBytes: 10 * 1024 * 1024,
    maxFiles: 5,
  }),
  sandbox: Object.freeze({
    // A browser's profile and downloads; it is memory, as long as something is in it.
    diskMiB: 1024,
  }),
  scaling: Object.freeze({
    // The first call must not wait for a process to start.
    minInstances: 1,
    // Four servers of 70 to 120 MB each fit a laptop.
    maxInstances: 4,
    // A JavaScript server answers so many calls at a time before they wait for each other.
    targetInFlight: 16,
  }),
  cache: Object.freeze({
    // The protocol's own hints say what may be kept; servers that say nothing are asked each time.
    enabled: true,
    tools: Object.freeze({}),
    // Answers may differ by caller, unless the operator knows better.
    toolSharing: "caller",
    resourcesMs: 0,
    staleMs: 0,
    // Some thousand answers; twenty servers stay under half a gigabyte.
    maxBytes: 16 * 1024 * 1024,
  }),
  coalescing: Object.freeze({
    // Four microseconds a call, which pay where callers ask the same at the same time.
    enabled: false,
    tools: Object.freeze([]),
  }),
  batching: Object.freeze({
    // A server host takes 100.
    maxBatchSize: 50,
    // The round trip of a machine nearby.
    batchTimeoutMs: 5,
    maxInFlight: 4,
    compressFrom: 1024,
  }),
  queue: Object.freeze({
    maxWaiting: 1000,
    // Longer than a burst, shorter than the patience of clients (60 s in the official SDKs).
    maxWaitMs: 30_000,
    ageMs: 5000,
    minimumPercent: Object.freeze({ high: 20, normal: 10, low: 5 }),
  }),
  timeouts: Object.freeze({
    // Slow machines take seconds to start a server written in Python.
    connectMs: 30_000,
    // Browsers and builds take long; a stuck server must not hold its caller for ever.
    requestMs: 120_000,
    // A server that hangs in a loop may report progress too.
    resetOnProgress: false,
    maxRequestMs: 60 * 60_000,
    // Memory of an instance that nobody uses is given back.
    idleMs: 10 * 60_000,
  }),
  loadBalancer: Object.freeze({
    // Good with calls of very different lengths, which tools have, and for any number of instances.
    strategy: "least-connections",
    stickySession: false,
    // A runtime that compiles as it goes answers its first calls slowly.
    slowStartMs: 5000,
  }),
  circuitBreaker: Object.freeze({
    enabled: true,
    errorPercent: 50,
    // How slow is too slow, only the operator knows: slowCallMs has no default.
    slowPercent: 80,
    windowMs: 10_000,
    // A few failures of a quiet server prove nothing.
    minimumCalls: 20,
    openMs: 5000,
  }),
  retry: Object.freeze({
    // Two of three instances may be gone at once.
    attempts: 3,
    // What all gateways together may add to the load of servers that are in trouble.
    budgetPercent: 20,
    backoffMs: 50,
    idempotentTools: [],
  }),
  pool: Object.freeze({
    // Measured best between 16 and 64.
    maxConnections: 32,
    // Long enough to cost nothing, short enough that a name's new addresses are found.
    maxLifetimeMs: 10 * 60_000,
  }),
  healthCheck: Object.freeze({
    enabled: true,
    // A ping each ten seconds costs a server nothing.
    intervalMs: 10_000,
    timeoutMs: 2000,
    unhealthyThreshold: 2,
    healthyThreshold: 2,
    loadPath: "/load",
    // Most of a minute for a process at rest. One that works on a call has as long as the call.
    restartAfter: 5,
  }),
  outlier: Object.freeze({
    enabled: true,
    consecutiveErrors: 5,
    latencyFactor: 5,
    // Between fast servers, times some are no matter.
    latencyFloorMs: 500,
    // Those that stay must carry the load.
    maxEjectedPercent: 50,
    ejectionMs: 10_000,
  }),
  concurrency: Object.freeze({
    // Bounds memory, not throughput: about a megabyte of waiting calls.
    maxInFlight: 1024,
    maxQueue: 1024,
    // Longer than that, callers have given up.
    queueMs: 10_000,
    adaptive: false,
  }),
  discovery: Object.freeze({
    path: "/mcp",
    // The TTL of most orchestrators' DNS records.
    refreshMs: 10_000,
    dockerPort: 8080,
    dockerSocket: "/var/run/docker.sock",
    kubernetesCredentials: "/var/run/secrets/kubernetes.io/serviceaccount",
    // Sessions with servers that something else runs cost no process here.
    maxSessions: 1000,
  }),
});
