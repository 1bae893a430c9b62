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
    // Models choose best among tools that they see, as long as there are not hundreds.
    toolSearch: false,
    // Shorter than the 30 s that process managers grant before they kill.
    drainMs: 10_000,
  }),
  session: Object.freeze({
    // A person's break.
    idleTimeoutMs: 60 * 60_000,
    // A working day and a night.
    maxAgeMs: 24 * 60 * 60_000,
    // A few kilobytes each.
    maxSessions: 10_000,
  }),
  log: Object.freeze({
    level: "info",
    maxBytes: 10 * 1024 * 1024,
    maxFiles: 5,
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
    // Only what the tool itself declares harmless to repeat.
    enabled: true,
    tools: Object.freeze([]),
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
    // Memory of an instance that nobody uses is given back.
    idleMs: 10 * 60_000,
  }),
});
