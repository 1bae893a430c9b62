/** How a hostile server is reached. */
export type Carrier = "http" | "sse" | "stdio" | "ws" | "tcp";

/** The revisions that it speaks: up to 2025-11-25 with sessions, 2026-07-28 without. */
export type Era = "session" | "stateless";

/** What a run needs to know of a fault; what it does stands in `server/`. */
export interface FaultTraits {
  /** How often it is chosen beside the others. */
  readonly weight: number;
  /** Messages that the server sends for one such call; an endless one counts as one. Defaults to 1. */
  readonly messages?: number;
  /** Where it makes sense. Defaults to every carrier. */
  readonly carriers?: readonly Carrier[];
  /** Defaults to both. */
  readonly era?: Era;
  /** Over HTTP the answer is a stream of events. Defaults to a choice by the request's id. */
  readonly stream?: boolean;
  /** The caller leaves its questions unanswered. Defaults to false. */
  readonly unanswered?: boolean;
}

/** Messages of one flood. */
export const floodMessages = 200;
const flood = { weight: 1.5, messages: floodMessages, stream: true };
const http = { carriers: ["http"] } as const;
const lines = { carriers: ["http", "sse", "stdio", "tcp", "ws"] } as const;

/** The grammar: each fault that a server can answer a call with. */
export const faults = {
  none: { weight: 30 },
  slow: { weight: 6 },
  late: { weight: 2 },
  silent: { weight: 2 },
  doubled: { weight: 12, messages: 2 },
  "doubled at once": { weight: 6, messages: 2 },
  "answers ahead": { weight: 6, messages: 4 },
  "wrong id": { weight: 6 },
  "id of another type": { weight: 6 },
  "id of a concurrent call": { weight: 6, messages: 2 },
  "no id": { weight: 3 },
  malformed: { weight: 6, messages: 2 },
  unbalanced: { weight: 4 },
  "invalid UTF-8": { weight: 4, messages: 2 },
  "deep nesting": { weight: 1 },
  "names no call": { weight: 6, messages: 6 },
  oversize: { weight: 0.3 },
  "endless line": { weight: 0.3, ...lines },
  "endless event": { weight: 0.3, ...lines, stream: true },
  "floods progress": flood,
  "floods log lines": flood,
  "logs afterwards": { weight: 4, messages: 3, stream: true },
  "floods pings": { ...flood, era: "session" },
  "floods list changes": flood,
  "floods questions": { ...flood, era: "session" },
  "pings, reads nothing": { weight: 0.5, messages: 2000, carriers: ["stdio", "tcp", "ws"], era: "session" },
  "endless questions": { weight: 0.5, messages: 1000, stream: true, era: "session", unanswered: true },
  "asks again and again": { weight: 1, messages: 20, era: "stateless" },
  asks: { weight: 8, messages: 2, stream: true },
  "asks in vain": { weight: 0.5, stream: true, unanswered: true },
  "half closes": { weight: 3 },
  resets: { weight: 3 },
  ends: { weight: 1, carriers: ["stdio"] },
  "byte by byte": { weight: 4 },
  "content-length too short": { weight: 3, ...http },
  "content-length too long": { weight: 3, ...http },
  "two content-lengths": { weight: 3, ...http },
  "length and chunks": { weight: 3, ...http },
  redirects: { weight: 3, ...http },
  "status 500": { weight: 3, ...http },
  "status 401": { weight: 2, ...http },
  "status 1e3": { weight: 2, ...http },
  "tab before the colon": { weight: 2, ...http },
  "wrong content type": { weight: 3, ...http },
  "early responses": { weight: 2, messages: 200, ...http },
  "endless trailers": { weight: 0.5, ...http },
  "session id changes": { weight: 3, ...http, era: "session" },
  "forgets the session": { weight: 2, ...http, era: "session" },
  "answers on the GET stream": { weight: 4, messages: 2, ...http, era: "session" },
} as const satisfies Record<string, FaultTraits>;

export type Fault = keyof typeof faults;

/** What a server does at a later request that is no call of a caller. */
export const laterFaults = ["silent", "malformed", "wrong id", "doubled", "endless list", "wrong version"] as const;
export type LaterFault = (typeof laterFaults)[number];

/** The traits of a fault, whole. */
export const traitsOf = (fault: Fault): FaultTraits => faults[fault];

/** The faults of one kind of server. */
export const faultsOf = (carrier: Carrier, era: Era): readonly Fault[] =>
  (Object.keys(faults) as Fault[]).filter((fault) => {
    const { carriers, era: only } = traitsOf(fault);
    return (carriers?.includes(carrier) ?? true) && (only ?? era) === era;
  });
