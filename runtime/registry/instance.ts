import type { Logger } from "pino";
import { FleetError, messageOf } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcErrorObject, RpcReply } from "../protocol/json-rpc.ts";
import { excerpt } from "../secret-guard.ts";
import type { ServerDescription, SessionEvents, UpstreamSession } from "../upstreams/upstream-session.ts";
import type { Backend } from "./backend.ts";
import { refusalOf } from "./resilience/failures.ts";

/** `starting` → `ready` → `backoff` (lost, a new start is due) → …; `ended` is final. */
export type InstanceState = "starting" | "ready" | "backoff" | "ended";

/** Failed starts in a row after which callers are told at once instead of waiting for the next attempt. */
const patience = 3;
/** An instance that served for so long was sound: its loss is answered with a start at once. */
const soundAfterMs = 10_000;
const longestDelayMs = 30_000;
/** Failed starts in a row after which a process is started again only when somebody calls. */
const giveUpAfter = 10;

export interface InstanceOptions {
  readonly id: string;
  /** Where its session is opened. */
  readonly backend: Backend;
  readonly events: SessionEvents;
  readonly log: Logger;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Something else runs it and opening a session is cheap: a caller brings the next attempt forward, and none is the last. */
  readonly eager?: boolean;
  /** Called after each change of state. */
  readonly onChange: (instance: Instance) => void;
}

/** One instance of a server: opens its session, and opens a new one with growing delays when that is lost. */
export class Instance {
  readonly id: string;
  inFlight = 0;
  /** When the last call ended, by the instance's clock. */
  lastUsedAt: number;
  readonly #options: InstanceOptions;
  #state: InstanceState = "starting";
  #session: UpstreamSession | undefined;
  #startupMs: number | undefined;
  #restarts = 0;
  #lastError: FleetError | undefined;
  #failures = 0;
  #restart = true;
  #owner: string | undefined;
  #stopping = false;
  #wake: () => void = () => {};
  /** The next start is due now. */
  #hurry = false;
  #waiters: { resolve: () => void; reject: (error: FleetError) => void }[] = [];
  readonly #finished: Promise<void>;
  #refused = false;

  constructor(options: InstanceOptions) {
    this.id = options.id;
    this.#options = options;
    this.lastUsedAt = options.now();
    this.#finished = this.#run();
  }

  get state(): InstanceState {
    return this.#state;
  }
  /** Milliseconds from start to the end of the handshake; undefined before. */
  get startupMs(): number | undefined {
    return this.#startupMs;
  }
  get restarts(): number {
    return this.#restarts;
  }
  get lastError(): FleetError | undefined {
    return this.#lastError;
  }
  get backend(): Backend {
    return this.#options.backend;
  }
  /** Starts have failed so often that the next one waits for a caller. */
  get gaveUp(): boolean {
    return this.#failures >= giveUpAfter && this.#options.eager !== true;
  }
  /** Process id of a local process. */
  get pid(): number | undefined {
    return this.#session?.pid;
  }
  /** Does its session keep nothing on the server? Undefined while it has none. */
  get stateless(): boolean | undefined {
    return this.#session === undefined ? undefined : this.#session.stateless === true;
  }
  /** Is it one owner's alone? */
  get owned(): boolean {
    return this.#owner !== undefined;
  }
  /** The host behind its session had no process free for it. */
  get refused(): boolean {
    return this.#refused;
  }
  get description(): ServerDescription | undefined {
    return this.#session?.description;
  }

  /** From now on it is this owner's: it ends instead of starting anew when its session is lost, for the state is gone with it. */
  leaseTo(owner: string): void {
    this.#restart = false;
    this.#owner = owner;
    this.#session?.leased?.(owner);
  }

  /** Resolves when it can take calls; rejects when it cannot start, or not within the time given. */
  async ready(timeoutMs: number): Promise<void> {
    if (this.#state === "ready") return;
    if (this.#state === "ended") throw this.#lastError ?? this.#gone();
    if (this.#lastError?.code === "UPSTREAM_LOGIN_NEEDED") return this.#afterLogin(timeoutMs);
    const impatient = this.#options.eager === true || (this.gaveUp && this.#state === "backoff");
    if (this.#failures >= patience && this.#lastError && !impatient) throw this.#lastError;
    await this.#outcome(timeoutMs, impatient);
  }

  /** Somebody may have logged in since: that is found out at once, by a start that has begun after this call came. */
  async #afterLogin(timeoutMs: number): Promise<void> {
    if (this.#state === "starting") {
      const served = await this.#outcome(timeoutMs, false).then(
        () => true,
        () => this.#state === "ready",
      );
      if (served) return;
      if (this.#isEnded()) throw this.#lastError ?? this.#gone();
    }
    this.#hurry = true;
    await this.#outcome(timeoutMs, true);
  }

  /** Resolves when the start under way, or the next one, has succeeded. */
  async #outcome(timeoutMs: number, impatient: boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (impatient && this.#state === "backoff") this.#wake();
      timer = setTimeout(() => reject(this.#slow(timeoutMs)), timeoutMs);
    }).finally(() => clearTimeout(timer));
  }

  request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    const session = this.#session;
    if (session === undefined) return Promise.reject(this.#gone());
    const { backend, now } = this.#options;
    const began = now();
    const trial = backend.began(began);
    this.inFlight += 1;
    return session.request(method, params, exchange).then(
      (reply) => {
        const at = this.#left();
        backend.answered(at, at - began, trial);
        if (this.#options.eager === true && "error" in reply) this.#checkRefusal(reply.error, at);
        return reply;
      },
      (error) => {
        backend.failed(error, this.#left() - began, trial);
        throw error;
      },
    );
  }

  /** Throws the POOL_EXHAUSTED of a server host: the call has not begun there, and there is no place for its session. */
  #checkRefusal(error: RpcErrorObject, at: number): void {
    const refusal = refusalOf(error, this.owned);
    if (refusal === undefined) return;
    if (refusal.leased && !this.#refused) {
      this.#refused = true;
      if (this.#options.events.elsewhere !== undefined) this.backend.room.refused(at);
    }
    throw refusal;
  }

  /** A question of the gateway's own, which neither counts as a call nor keeps it from being idle. */
  probe(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    return this.#session?.request(method, params, exchange) ?? Promise.reject(this.#gone());
  }

  /** Ends its session and opens another one, which for a process means to start it anew. */
  restart(): void {
    void this.#session?.close();
  }

  notify(method: string, params?: Params): void {
    this.#session?.notify(method, params);
  }

  /** Ends the session and what runs for it; resolves when nothing is left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    // A start under way can take its time; who waits for it need not.
    if (this.#state !== "ready") for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#gone());
    await this.#session?.close();
    await this.#finished;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#set("starting");
      this.#hurry = false;
      await this.#serve();
      if (this.#stopping || !this.#restart) break;
      this.#restarts += 1;
      await this.#pause(this.gaveUp ? undefined : restartDelay(this.#failures));
    }
    if (this.#state !== "ended") this.#set("ended");
  }

  /** One life: opens a session and resolves when it is over, in a state in which nobody takes it for ready. */
  async #serve(): Promise<void> {
    const { backend, events, log, now } = this.#options;
    const began = now();
    let session: UpstreamSession;
    try {
      session = await backend.connector.connect(events);
    } catch (error) {
      this.#failures += 1;
      this.#lastError = asFleetError(error, this.id);
      if (this.#stopping) return;
      const facts = { instance: this.id, code: this.#lastError.code, failures: this.#failures };
      // Callers may bring many attempts about: the first ones are told, then fewer and fewer.
      if ((this.#failures & (this.#failures - 1)) === 0) log.error(facts, messageOf(error));
      if (this.gaveUp) log.error(facts, "given up: the next start waits for a call; correct the server, then call it");
      for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#lastError);
      this.#over();
      return;
    }
    if (this.#stopping) return session.close();
    const readyAt = now();
    this.#session = session;
    if (this.#owner !== undefined) session.leased?.(this.#owner);
    this.#startupMs = Math.round(readyAt - began);
    log.info(
      { instance: this.id, startupMs: this.#startupMs, server: shownServer(session.description.serverInfo) },
      "instance ready",
    );
    this.#set("ready");
    const reason = await session.ended;
    this.#session = undefined;
    if (this.#stopping) return;
    this.#failures = now() - readyAt >= soundAfterMs ? 0 : this.#failures + 1;
    const lost = new FleetError("INSTANCE_LOST", `${this.id} was lost (${messageOf(reason)}); call again`);
    this.#lastError = reason instanceof FleetError ? reason : lost;
    log.warn({ instance: this.id, reason: messageOf(reason) }, "instance lost");
    this.#over();
  }

  #over(): void {
    this.#set(this.#restart ? "backoff" : "ended");
  }

  #set(state: InstanceState): void {
    this.#state = state;
    if (state === "ready") for (const waiter of this.#waiters.splice(0)) waiter.resolve();
    if (state === "ended") for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#lastError ?? this.#gone());
    this.#options.onChange(this);
  }

  /** A call has ended; returns when. */
  #left(): number {
    this.inFlight -= 1;
    this.lastUsedAt = this.#options.now();
    return this.lastUsedAt;
  }

  #isEnded(): boolean {
    return this.#state === "ended";
  }

  /** Waits so long, or without a time until somebody calls. */
  #pause(ms: number | undefined): Promise<void> {
    if (this.#hurry) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #gone(): FleetError {
    return new FleetError("INSTANCE_LOST", `${this.id} has ended; call again`);
  }

  #slow(timeoutMs: number): FleetError {
    const text = `${this.id} was not ready within ${timeoutMs} ms; call again, or raise timeouts.connectMs of this server`;
    return new FleetError("INSTANCE_START_FAILED", text, { cause: this.#lastError });
  }
}

/** Characters of a server's name and version as the log and the status have them: both are the server's to choose. */
const maxShown = 100;

/** Name and version of a server, as far as they are texts and have room in the log. */
export function shownServer({ name, version }: ServerDescription["serverInfo"]): { name: string; version: string } {
  const shown = (value: unknown) => (typeof value === "string" ? excerpt(value, maxShown) : "unknown");
  return { name: shown(name), version: shown(version) };
}

/** The first loss is answered at once, further ones in a row with doubling delays. */
function restartDelay(failures: number): number {
  return failures <= 1 ? 0 : Math.min(100 * 2 ** failures, longestDelayMs);
}

function asFleetError(error: unknown, instance: string): FleetError {
  if (error instanceof FleetError) return error;
  return new FleetError("INSTANCE_START_FAILED", `${instance} did not start: ${messageOf(error)}`, { cause: error });
}
