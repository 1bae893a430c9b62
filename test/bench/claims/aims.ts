/** How a figure stands to its limit when the aim is met. */
export type Bound = "≤" | "<" | "≥";

/** What is claimed of one figure. */
export interface Aim {
  readonly claim: string;
  readonly bound: Bound;
  readonly limit: number;
  /** Of the figure and the limit; a ratio has none. */
  readonly unit: string;
  /** Where the limit comes from: required, or the figure that it stands beside. */
  readonly source: string;
}

const wrong: Aim = {
  ...{ claim: "wrong answers and failed calls", bound: "≤", limit: 0, unit: "" },
  source: "status, id and text of every answer are checked",
};
const relayed = (what: string): Aim => ({
  ...{ claim: `CPU of ${what}, 4 sessions, full stack ÷ plain pipe`, bound: "≤", limit: 1.3, unit: "" },
  source: "relayed at the cost of bytes, not of parsing twice: a Node.js proxy that pipes and looks at nothing",
});
const growth = (what: string, limit: number, unit: string, source: string): Aim => ({
  ...{ claim: `growth of ${what} over the run`, bound: "≤", limit, unit, source },
});

/** The largest growth that is no trend of each line of the soak. */
export const growthAims = {
  sessions: growth("sessions", 20, "", "eight clients hold one each, and what ends is forgotten within seconds"),
  descriptors: growth(
    "file descriptors",
    12,
    "",
    "a connection more or less for each of eight clients, and pooled ones",
  ),
  handles: growth("sockets and timers", 20, "", "as descriptors, with the timers of what is under way"),
  children: growth("child processes", 0.5, "", "there are none: one that stayed would be a growth of 1"),
  heapMb: growth(
    "the heap's floor",
    12,
    "MB",
    "a tenth of the 128 MB that it may have; 1 KiB left by each session would be 200",
  ),
} as const satisfies Record<string, Aim>;

/** Every aim of the project that a benchmark measures, each said once, by benchmark. */
export const aims = {
  price: {
    cpu: {
      ...{ claim: "CPU of a call, 32 sessions, full stack ÷ bare parsing proxy", bound: "≤", limit: 1, unit: "" },
      source:
        "thirty lines of Node.js that only JSON.parse both ways, first measured at 118 µs (nginx 25, a Rust proxy 174, a Go one 289)",
    },
    workers: {
      ...{ claim: "calls of two workers ÷ of one, by the CPU that a call costs", bound: "≥", limit: 1.7, unit: "" },
      source: "2 would be perfect; by the clock two cores cannot show it, since load and server need one of them",
    },
    wrong,
  },
  latency: {
    p50: {
      ...{ claim: "added to a direct call, 1 session, p50", bound: "<", limit: 0.3, unit: "ms" },
      source: "required; a bare Node.js proxy adds 0.09",
    },
    p99: {
      ...{ claim: "added to a direct call, 1 session, p99", bound: "<", limit: 1, unit: "ms" },
      source: "required; a bare Node.js proxy adds 0.17",
    },
    busy: {
      ...{ claim: "p99 at 70 % of saturation ÷ direct", bound: "<", limit: 3, unit: "" },
      source: "required",
    },
    besideNginx: {
      ...{ claim: "the same ÷ that of nginx at 70 % of its own saturation", bound: "≤", limit: 1, unit: "" },
      source: "what the machine adds to a tail it adds to nginx's too",
    },
    wrong,
  },
  stages: {
    cached: {
      ...{ claim: "CPU of a cached call ÷ a proxied one", bound: "≤", limit: 0.75, unit: "" },
      source: "the half of a call that goes upstream is spared",
    },
    coalesced: {
      ...{ claim: "CPU of a coalesced call ÷ a proxied one", bound: "≤", limit: 0.75, unit: "" },
      source: "the half of a call that goes upstream is spared",
    },
    stdio: {
      ...{ claim: "calls through one child on standard streams", bound: "≥", limit: 10_000, unit: "/s" },
      source: "required, measured beside the load generator",
    },
    stdioCore: {
      ...{ claim: "the same on one core, by the CPU of gateway and child", bound: "≥", limit: 10_000, unit: "/s" },
      source: "required: a second of one core ÷ the CPU of a call",
    },
    wrong,
  },
  bytes: { cpu: relayed("a result of 1 MiB"), wrong },
  stream: { cpu: relayed("1,000 progress events in one answer"), wrong },
  sessions: {
    open: {
      ...{ claim: "memory of a session with an open connection", bound: "<", limit: 25, unit: "KiB" },
      source: "peers: Rust 49 and 70, Go 18 and 82, one process a session 42,600",
    },
    idle: {
      ...{ claim: "memory of a session without a connection", bound: "≤", limit: 0.2, unit: "KiB" },
      source:
        "nothing: its id carries its state. 0.2 is 2 MB over 10,000, by which a calm process differs from itself; one that is kept takes much more (peers: 18 and up)",
    },
    active: {
      ...{ claim: "errors of 1,000 sessions calling without a pause", bound: "≤", limit: 0, unit: "" },
      source: "required",
    },
    returned: {
      ...{ claim: "memory after that load ÷ before", bound: "≤", limit: 1.2, unit: "" },
      source: "required: back to within 20 %",
    },
  },
  soak: { ...growthAims, wrong },
  failover: {
    failed: {
      ...{ claim: "failed calls: kill -9, SIGSTOP, slow, all three at once", bound: "≤", limit: 0, unit: "" },
      source: "no idempotent call fails while one of three instances serves, and none while all are ill for 4 s",
    },
    worst: {
      ...{ claim: "worst latency in any of these phases", bound: "<", limit: 10_000, unit: "ms" },
      source: "the deadline of a call in this benchmark",
    },
    leftOut: {
      ...{ claim: "an ill instance gets no calls after", bound: "≤", limit: 2000, unit: "ms" },
      source: "one interval of the health check in this benchmark",
    },
    neverBack: {
      ...{ claim: "instances that were not taken back within 3 s", bound: "≤", limit: 0, unit: "" },
      source: "required: taken back after recovery",
    },
    workers: {
      ...{ claim: "failed calls while workers are killed", bound: "≤", limit: 0, unit: "" },
      source: "required; clients send again what broke with its connection",
    },
    restart: {
      ...{ claim: "failed first calls of sessions that their server forgot", bound: "≤", limit: 0, unit: "" },
      source: "of nine peers two do this, at 43 and 87 ms of CPU a call",
    },
    hangingList: {
      ...{ claim: "p99 of the list with one of twenty hanging ÷ alive", bound: "≤", limit: 1.1, unit: "" },
      source: "required: within 10 %, by medians of the rounds",
    },
    hangingCall: {
      ...{ claim: "p99 of calls to the other nineteen ÷ alive", bound: "≤", limit: 1.1, unit: "" },
      source: "required: within 10 %, by medians of the rounds",
    },
  },
  overload: {
    useful: {
      ...{ claim: "useful calls at 5 × capacity ÷ at capacity", bound: "≥", limit: 0.8, unit: "" },
      source: "required",
    },
    refused: {
      ...{ claim: "a refused call is answered within, p99", bound: "≤", limit: 10, unit: "ms" },
      source: "required",
    },
    failed: {
      ...{ claim: "calls that failed otherwise", bound: "≤", limit: 0, unit: "" },
      source: "a call too many is refused by name (OVERLOADED), so that its caller may try again",
    },
    memory: {
      ...{ claim: "most memory at 5 × capacity, more than at capacity", bound: "≤", limit: 48, unit: "MB" },
      source:
        "less than the refused calls of a minute, 9,600, would take if they waited, at the 7 KiB of an open session: 66",
    },
    recovered: {
      ...{ claim: "calls refused or failed, from 2 s after", bound: "≤", limit: 0, unit: "" },
      source: "required: recovery within 2 s",
    },
  },
  fairness: {
    low: {
      ...{ claim: "share of low calls beside critical ones at saturation", bound: "≥", limit: 5, unit: "%" },
      source: "the minimum that this benchmark configures",
    },
  },
} as const satisfies Record<string, Record<string, Aim>>;

/** The aims of all benchmarks. */
export type Aims = typeof aims;
