import type { Connector } from "../upstreams/upstream-session.ts";
import type { Candidate, HostLoad } from "./balancing/strategy.ts";
import type { Instance } from "./instance.ts";
import { LifeSigns } from "./life-signs.ts";
import type { PeakLoad } from "./peak-load.ts";
import { CircuitBreaker, type CircuitBreakerOptions } from "./resilience/circuit-breaker.ts";
import { failureOf } from "./resilience/failures.ts";
import type { Attempt } from "./resilience/movable-call.ts";
import { SessionRoom } from "./session-room.ts";

/** `ready` takes calls; what else it can be keeps it from them. */
export type BackendState = "starting" | "ready" | "unhealthy" | "ejected" | "circuit-open" | "draining";

/** Something of an instance that operators should know; also counted as `mcp_instance_events_total`. */
export interface BackendEvent {
  readonly event:
    | "added"
    | "removed"
    | "ready"
    | "lost"
    | "unhealthy"
    | "healthy"
    | "ejected"
    | "returned"
    | "circuit-open"
    | "circuit-half-open"
    | "circuit-closed"
    | "draining"
    | "restarted"
    | "gave-up";
  readonly instance: string;
  readonly reason?: string;
}

/** What makes one an instance of its fleet, whoever found it. */
export interface BackendSpec {
  /** URL of an instance that something else runs; of a process what runs it. */
  readonly address: string;
  readonly weight?: number | undefined;
  readonly zone?: string | undefined;
}

export interface BackendOptions {
  readonly id: string;
  readonly spec: BackendSpec;
  readonly connector: Connector;
  /** Undefined when circuit breakers are off. */
  readonly circuit: Omit<CircuitBreakerOptions, "onChange" | "now"> | undefined;
  readonly now: () => number;
  /** Called when what it may take has changed, and with what operators should know. */
  readonly onChange: (backend: Backend, event?: BackendEvent) => void;
}

/** Share of the newest call in the smoothed latency, of the newest report in the smoothed load. */
const latencyShare = 0.1;
const loadShare = 0.3;

/** One place where a fleet's server runs: its health, its load, its circuit. Sessions (`Instance`) are opened with it. */
export class Backend implements Candidate {
  readonly id: string;
  readonly address: string;
  readonly connector: Connector;
  readonly circuit: CircuitBreaker | undefined;
  zone: string | undefined;
  weight: number;
  /** Calls on all its sessions. */
  inFlight = 0;
  /** The calls of all instances that scale together. Undefined where something else scales them. */
  total: PeakLoad | undefined;
  /** Calls that came to an end, one way or another. */
  calls = 0;
  /** Calls since the last look at latencies. */
  recentCalls = 0;
  latencyMs: number | undefined;
  load: HostLoad | undefined;
  /** Failures of calls since the last answer. */
  failuresInARow = 0;
  readonly signs = new LifeSigns();
  /** Sessions that owners have to themselves here. */
  readonly room = new SessionRoom();
  /** When a call was last answered. */
  answeredAt = Number.NEGATIVE_INFINITY;
  /** When it last became ready. */
  readySince = Number.NEGATIVE_INFINITY;
  /** It gets no new calls and sessions. */
  draining = false;
  /** Nobody names it any more: it is forgotten when nothing is left on it. */
  gone = false;
  /** The session that shared calls use; also asked for lists and for its health. */
  primary!: Instance;
  /** Calls in flight that may be repeated, the oldest first. */
  readonly movable = new Set<Attempt>();
  readonly #options: BackendOptions;
  #unhealthy: string | undefined;
  /** Messages so far when its checks failed; undefined when words do not speak against what they found. */
  #messagesThen: number | undefined;
  #ejected: string | undefined;

  constructor(options: BackendOptions) {
    const { id, spec, connector, circuit, now, onChange } = options;
    this.#options = options;
    this.id = id;
    this.address = spec.address;
    this.zone = spec.zone;
    this.weight = spec.weight ?? 1;
    this.connector = connector;
    this.circuit =
      circuit &&
      new CircuitBreaker({
        ...circuit,
        now,
        onChange: ({ state, reason }) => {
          const why = reason === undefined ? {} : { reason };
          onChange(this, { event: `circuit-${state}`, instance: id, ...why });
        },
      });
  }

  /** Its session is open. */
  get ready(): boolean {
    return this.primary.state === "ready";
  }

  get sessions(): number {
    return this.room.sessions;
  }

  /** It can take what another one cannot. */
  get usable(): boolean {
    return this.ready && this.healthy && !this.draining && (this.circuit?.state ?? "closed") === "closed";
  }

  /** Neither checks nor calls speak against it. */
  get healthy(): boolean {
    return this.#unhealthy === undefined && this.#ejected === undefined;
  }

  /** Its checks fail: sessions that live here are better opened elsewhere. */
  get unhealthy(): boolean {
    return this.#unhealthy !== undefined;
  }

  /** Its checks fail, and it has not said anything since: what it keeps for its owners is out of reach. */
  get lost(): boolean {
    return this.#unhealthy !== undefined && !this.spoke;
  }

  /** It has said something since it was found to say nothing. */
  get spoke(): boolean {
    return this.#messagesThen !== undefined && this.#messagesThen !== this.signs.messages;
  }

  get ejected(): boolean {
    return this.#ejected !== undefined;
  }

  get state(): BackendState {
    if (this.draining) return "draining";
    if (this.#unhealthy !== undefined) return "unhealthy";
    if (this.#ejected !== undefined) return "ejected";
    if (this.circuit !== undefined && this.circuit.state !== "closed") return "circuit-open";
    return this.ready ? "ready" : "starting";
  }

  /** Why it is not ready, as far as that is known. */
  get reason(): string | undefined {
    return (
      this.#unhealthy ??
      this.#ejected ??
      this.circuit?.reason ??
      (this.ready ? undefined : this.primary.lastError?.message)
    );
  }

  /** Its session is open; another process than before, perhaps, for which old findings mean nothing. */
  cameUp(again: boolean): void {
    this.readySince = this.#options.now();
    if (!again) return;
    this.failuresInARow = 0;
    this.#unhealthy = undefined;
    this.#messagesThen = undefined;
    this.circuit?.reset();
  }

  /** What its checks found: a reason, or undefined when all is well. `silent`: it said nothing. */
  checked(unhealthy: string | undefined, silent = false): void {
    const before = this.#unhealthy;
    this.#unhealthy = unhealthy;
    this.#messagesThen = unhealthy !== undefined && silent ? this.signs.messages : undefined;
    if ((before === undefined) === (unhealthy === undefined)) return;
    if (unhealthy === undefined) {
      this.readySince = this.#options.now();
      this.#tell("healthy");
    } else this.#tell("unhealthy", unhealthy);
  }

  /** Its calls went worse than those of the others; undefined lets it take calls again. */
  eject(reason: string | undefined): void {
    if ((this.#ejected === undefined) === (reason === undefined)) return;
    this.#ejected = reason;
    this.failuresInARow = 0;
    if (reason === undefined) {
      this.readySince = this.#options.now();
      this.latencyMs = undefined;
    }
    this.#tell(reason === undefined ? "returned" : "ejected", reason);
  }

  drain(draining: boolean): void {
    if (draining === this.draining) return;
    this.draining = draining;
    this.#tell(draining ? "draining" : "returned");
  }

  /** The same where its fleet shrinks and grows, which is no news. */
  retire(retiring: boolean): void {
    this.draining = retiring;
    this.#options.onChange(this);
  }

  setWeight(weight: number): void {
    this.weight = weight;
    this.#options.onChange(this);
  }

  reported({ cpu, memory }: HostLoad): void {
    const { load } = this;
    this.load =
      load === undefined
        ? { cpu, memory }
        : { cpu: load.cpu + loadShare * (cpu - load.cpu), memory: load.memory + loadShare * (memory - load.memory) };
  }

  /** While it is found not to serve, calls in flight that may be repeated go elsewhere too. */
  moveCalls(): void {
    if (!this.healthy) for (const attempt of this.movable) attempt.move();
  }

  /** A call goes out. Returns true when it is the trial of a half-open circuit. */
  began(at: number): boolean {
    this.signs.began(at);
    this.inFlight += 1;
    this.total?.began();
    return this.circuit?.begin() ?? false;
  }

  answered(at: number, ms: number, trial: boolean): void {
    this.#ended(ms);
    this.answeredAt = at;
    this.signs.messages += 1;
    this.signs.spoke(at, this.inFlight);
    this.failuresInARow = 0;
    this.circuit?.record(false, ms, trial);
  }

  failed(error: unknown, ms: number, trial: boolean): void {
    this.#ended(undefined);
    this.signs.ended(this.#options.now() - ms);
    const failure = failureOf(error);
    if (failure) this.failuresInARow += 1;
    this.circuit?.record(failure ? true : undefined, ms, trial);
  }

  #ended(ms: number | undefined): void {
    this.inFlight -= 1;
    this.total?.ended();
    this.calls += 1;
    if (ms === undefined) return;
    this.recentCalls += 1;
    this.latencyMs = this.latencyMs === undefined ? ms : this.latencyMs + latencyShare * (ms - this.latencyMs);
  }

  #tell(event: BackendEvent["event"], reason?: string): void {
    this.#options.onChange(this, { event, instance: this.id, ...(reason === undefined ? {} : { reason }) });
  }
}
