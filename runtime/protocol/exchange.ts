import { FleetError } from "../errors.ts";
import { plainNumber } from "./exact-number.ts";
import type { Params, RequestId, RpcReply } from "./json-rpc.ts";
import type { Priority } from "./priority.ts";
import type { ProgressDeadline } from "./progress-deadline.ts";
import { type Question, Questions } from "./questions.ts";

/** Something that a server says about a call while it works on it: progress, a log line. */
export type ExchangeListener = (method: string, params: Params | undefined) => void;

/** The client behind a call, as far as a server may turn to it while it works. */
export interface ExchangeClient {
  /** Calls of one owner may be told apart by nobody else: a client session, or a caller of the stateless era. */
  readonly owner: string;
  /** Speaks a stateless revision (2026-07-28 on): it is asked by results, not by requests. */
  readonly modern: boolean;
  /** What it said that it can do: `elicitation`, `sampling`, `roots`. */
  readonly capabilities: Params;
  readonly clientInfo: Params | undefined;
  /** Least severe log line that it wants; undefined when it has not said. */
  readonly logLevel: string | undefined;
  /** It has a stream or a connection on which it can be asked, or it comes back by itself. */
  readonly present: boolean;
  /** Puts a server's request to the client; resolves with the client's own reply. Rejects when it has gone, or when the question is withdrawn. */
  ask(method: string, params: Params | undefined, question: Question): Promise<RpcReply>;
}

/** Says whether the caller of a call may also make it to another server. */
export interface ExchangeJudge {
  /** Throws or rejects when it may not. */
  check(fleet: object, method: string, params: Params | undefined): Promise<void> | undefined;
}
const over = new FleetError("CANCELLED", "the call has ended");

/** Stops and goes on reading what a server says of one call, where its transport can tell calls apart. */
export interface Flow {
  /** As often as it was paused it must be resumed. */
  pause(): void;
  resume(): void;
  /**
   * The call waits for its client: its connection no longer counts among those that calls may use. False when too many
   * wait already.
   */
  lend?(): boolean;
}

/**
 * One call on its way through the gateway: its deadline, its cancellation and what its server says meanwhile.
 * Instead of an AbortController and an event target per call, which cost more than the call's own JSON.
 */
export class Exchange {
  /** For the whole call, its waiting and all its attempts. */
  readonly timeoutMs: number;
  /** What is left of it for the attempt that is sent next. */
  remainingMs: number;
  /** By the gateway's clock; undefined for the gateway's own calls, which do not wait. */
  deadline: number | undefined;
  /** Moves the deadline as its server makes progress; undefined where nothing does. */
  progress: ProgressDeadline | undefined = undefined;
  /** Where the latest attempt went, and whether anything of it may have been sent. */
  place: object | undefined;
  begun = false;
  /** Must not wait for a connection that calls use: it asks whether the server answers at all. */
  apart = false;
  /** Places where attempts have failed. */
  avoid: Set<object> | undefined;
  /** Replaced where names of the server read differently for the client. */
  listener: ExchangeListener | undefined;
  /** Absent for calls of the gateway itself and of the REST interface; replaced as the listener is. */
  client: ExchangeClient | undefined;
  /** The client's own id of the request; absent for calls of the gateway itself. */
  readonly requestId: RequestId | undefined;
  /** How urgent it is, when somebody said so outside of the call's own `_meta`. */
  priority: Priority | undefined = undefined;
  /** May an earlier answer serve? */
  useCache = true;
  /** Set by a transport that can hold back what its server says of this call alone. */
  flow: Flow | undefined = undefined;
  /** Headers of the HTTP answer, where there is one: what is left of the caller's limits. */
  headers: Readonly<Record<string, string>> | undefined = undefined;
  /** Judges what a fallback would do; undefined where nothing is configured that could forbid it. */
  judge: ExchangeJudge | undefined;
  /** Another server has answered than the one that was called: its answer is for this caller alone. */
  fellBack = false;
  /** Who is authenticated behind the call, for servers where each caller has credentials of its own. */
  caller: string | undefined;
  #cancelled: string | undefined;
  #failure: FleetError | undefined;
  #questions: Questions | undefined;
  #canceller: ((reason: string) => void) | undefined;

  constructor(timeoutMs: number, listener?: ExchangeListener, client?: ExchangeClient, requestId?: RequestId) {
    this.timeoutMs = timeoutMs;
    this.remainingMs = timeoutMs;
    this.listener = listener;
    this.client = client;
    this.requestId = requestId;
  }

  /** One attempt of several, which may be given up without the call: it ends when the call is cancelled. */
  attempt(): Exchange {
    const attempt = new Exchange(this.timeoutMs, this.listener, this.client);
    attempt.remainingMs = this.remainingMs;
    attempt.deadline = this.deadline;
    attempt.progress = this.progress;
    attempt.avoid = this.avoid;
    attempt.caller = this.caller;
    attempt.judge = this.judge;
    this.onCancel((reason) => attempt.cancel(reason));
    return attempt;
  }

  /** Why it was cancelled; undefined while it goes on. */
  get cancelled(): string | undefined {
    return this.#cancelled;
  }

  /** What its caller hears when it was cancelled. */
  get failure(): FleetError {
    return this.#failure ?? new FleetError("CANCELLED", `cancelled by the client: ${this.#cancelled}`);
  }

  /**
   * Its server says something while it works: progress under the token that it was given, `id`, which the client knows by
   * its own `token`; anything else as it is. Progress under another token is another call's, and dropped.
   */
  heard(method: string, params: Params | undefined, id: number, token: unknown): void {
    const { listener } = this;
    if (method !== "notifications/progress") listener?.(method, params);
    else if (token !== undefined && plainNumber(params?.progressToken) === id) {
      this.progress?.progressed();
      listener?.(method, { ...params, progressToken: token });
    }
  }

  /** Puts a question of the server to the client, within the bounds of one call (`Questions`). Rejects when there is no client. */
  ask(method: string, params: Params | undefined): Promise<RpcReply> {
    if (this.client === undefined) {
      return Promise.reject(new FleetError("METHOD_UNKNOWN", `${method}: no client stands behind the call`));
    }
    if (this.#cancelled !== undefined) return Promise.reject(this.failure);
    this.#questions ??= new Questions(this.client, (error) => this.end(error));
    return this.#questions.ask(method, params);
  }

  /**
   * Asked when its time is up: how much longer it may take, because its client was asked or its server made progress
   * meanwhile. 0 for no longer.
   */
  overtimeMs(): number {
    return Math.max(this.#questions?.overtimeMs() ?? 0, this.progress?.leftMs() ?? 0);
  }

  /** When its time is up by the gateway's clock; undefined for the gateway's own calls. */
  get endsAt(): number | undefined {
    return this.progress?.at ?? this.deadline;
  }

  /** Milliseconds that are left of its time by the gateway's clock, which says `now`. The gateway's own calls do not wait: all of it. */
  leftMs(now: number): number {
    const { endsAt } = this;
    return endsAt === undefined ? this.remainingMs : Math.ceil(endsAt - now);
  }

  /**
   * Milliseconds that are left for another request of the same call; none or fewer when its time is up. Unlike `overtimeMs`, the
   * time that its client has taken counts each time. `latest`: the end of a call of the gateway's own, which does not say when it ends.
   */
  restMs(now: number, latest: number): number {
    return (this.endsAt ?? latest) - now + (this.#questions?.movedMs() ?? 0);
  }

  /** What its caller hears when `server` has not answered in time. */
  expired(server: string): FleetError {
    const { bounds, isLast } = this.progress ?? {};
    const [ms, name] = isLast && bounds ? [bounds.maxRequestMs, "maxRequestMs"] : [this.timeoutMs, "requestMs"];
    const what =
      bounds === undefined ? "no answer" : isLast ? "progress, but no answer" : "neither answer nor progress";
    const fix = `raise timeouts.${name} of this server, or ask for less in one call`;
    return new FleetError("REQUEST_TIMEOUT", `${server}: ${what} within ${ms} ms; ${fix}`);
  }

  /** The attempt has come to its end: questions that are open are withdrawn. */
  finished(): void {
    this.#questions?.close(over);
  }

  /** Says what to do on cancellation; done at once when that came first. */
  onCancel(canceller: (reason: string) => void): void {
    this.#canceller = canceller;
    if (this.#cancelled !== undefined) canceller(this.#cancelled);
  }

  /** The client is slow: its server is read no further until it has caught up. */
  holdUntil(caughtUp: Promise<void> | undefined): void {
    const { flow } = this;
    if (caughtUp === undefined || flow === undefined) return;
    flow.pause();
    void caughtUp.then(() => flow.resume());
  }

  cancel(reason: string): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = reason;
    this.#questions?.close(this.failure);
    this.#canceller?.(reason);
  }

  /** Cancels it with an error of its own. */
  end(error: FleetError): void {
    if (this.#cancelled !== undefined) return;
    this.#failure = error;
    this.cancel(error.message);
  }
}
