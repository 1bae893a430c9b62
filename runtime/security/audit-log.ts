import { hash } from "node:crypto";
import { extname } from "node:path";
import type { Logger } from "pino";
import type { Audit } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import type { SecurityMetrics } from "../observability/security-metrics.ts";
import { canonicalJson } from "../performance/canonical-json.ts";
import type { Params } from "../protocol/json-rpc.ts";
import { AuditFile, maxWaitingBytes } from "./audit-file.ts";
import { boundedText } from "./bounded-text.ts";
import { networkOf } from "./network.ts";
import type { Principal } from "./principal.ts";
import { RefusalBound, refusalWindowMs } from "./refusal-bound.ts";
import { type Subject, subjectOf } from "./subject.ts";

export interface AuditLogOptions {
  readonly audit: Audit;
  readonly metrics: SecurityMetrics;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** How the audit log is, as operators see it. */
export interface AuditStatus {
  readonly state: "ok" | "failing";
  /** Why it cannot be written. */
  readonly reason?: string;
  /** Lines that were lost since the start. */
  readonly lost: number;
}

/** What is not noted: it does nothing at a server and reads nothing but lists, or follows a call that was noted. */
const unnoted = new Set([
  ...["ping", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "logging/setLevel"],
  ...["resources/unsubscribe", "tasks/get", "tasks/result"],
]);
/** Outcomes of calls that were not made: noted within the bound of refusals, by caller. */
const refusals = new Set(["FORBIDDEN", "SCOPE_MISSING", "RATE_LIMITED", "TOKEN_REFUSED"]);
// A refusal is a line of about 250 bytes: a flood writes 75 KB a minute at most.
const defaults = { maxBytes: 100 * 1024 * 1024, maxFiles: 10, refusalsPerMinute: 300 };
/** Of the arguments, where their content is kept. */
const maxArgumentsChars = 16 * 1024;
/** An issuer's URL with a subject of up to 512 characters stays whole. */
const maxCallerChars = 1024;
const after = (ms: number, then: () => void) => {
  const timer = setTimeout(then, ms).unref();
  return () => clearTimeout(timer);
};

/** One call that is being noted. */
export interface AuditEntry {
  readonly line: Readonly<Record<string, unknown>>;
  readonly began: number;
}

/** A request that was refused for its credential; nothing of that. */
export interface Refusal {
  /** The error's code. */
  readonly outcome: string;
  /** Kind of credential: `bearer`, `basic`, `other` of `Authorization`, `api-key`, `certificate`; or `none`. */
  readonly by: string;
  /** Interface, as `gateway.auth.listeners` names them. */
  readonly listener: string;
  readonly server?: string;
  /** Where it came from. */
  readonly address: string;
  readonly reason: string;
}

/**
 * Appends one JSON line per call: who, what, when, with which outcome; and one per caller that was not let in. Refusals also stand in a
 * file of their own (`audit.refused.log`), which calls cannot rotate away. With `failClosed` the attempt is on its way to the disk
 * before the call is sent, and a call that cannot be noted is refused. Several processes share the files.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #file: AuditFile;
  readonly #refused: AuditFile;
  readonly #byAddress: RefusalBound;
  readonly #byCaller: RefusalBound;
  #summary: NodeJS.Timeout | undefined;
  #lost = 0;

  /** Throws CONFIG_INVALID when a file cannot be written. */
  constructor(options: AuditLogOptions) {
    const { file, maxBytes, maxFiles, refusalsPerMinute } = { ...defaults, ...options.audit };
    const { clock, log, metrics } = options;
    this.#options = options;
    this.#byAddress = new RefusalBound(refusalsPerMinute, clock);
    this.#byCaller = new RefusalBound(refusalsPerMinute, clock);
    const onLost = () => {
      this.#lost += 1;
      metrics.auditLost();
    };
    const open = (path: string) => {
      const onState = (reason: string | undefined) => {
        if (reason === undefined) log.info({ file: path }, "audit: the log can be written again");
        else log.error({ file: path, reason }, "audit: the log cannot be written; it is tried again");
      };
      try {
        return new AuditFile({ path, maxBytes, maxFiles, clock, after, onState, onLost });
      } catch (error) {
        throw new FleetError(
          "CONFIG_INVALID",
          `gateway.audit.file: ${path} cannot be written (${messageOf(error)}); correct the path`,
        );
      }
    };
    this.#file = open(file);
    this.#refused = open(refusedPath(file));
  }

  get status(): AuditStatus {
    const reason = this.#file.failing ?? this.#refused.failing;
    return reason === undefined ? { state: "ok", lost: this.#lost } : { state: "failing", reason, lost: this.#lost };
  }

  /** Does it refuse calls now, which it cannot note? */
  get closed(): boolean {
    return this.#options.audit.failClosed === true && this.#file.failing !== undefined;
  }

  /** Bytes that wait for the disk, and their bound. */
  get waiting(): { readonly size: number; readonly max: number } {
    return { size: this.#file.waiting + this.#refused.waiting, max: 2 * maxWaitingBytes };
  }

  /** A call begins; undefined for one that is not noted. Rejects with AUDIT_UNAVAILABLE when it must be noted and cannot. */
  begin(
    principal: Principal,
    server: string,
    method: string,
    params: Params | undefined,
    subject: Subject = subjectOf(method, params),
  ): AuditEntry | Promise<AuditEntry> | undefined {
    if (unnoted.has(method)) return undefined;
    const { clock, audit } = this.#options;
    const began = clock();
    const { kind, name } = subject;
    const entry = {
      began,
      line: {
        caller: boundedText(principal.caller, maxCallerChars),
        by: principal.method,
        server,
        method,
        [kind]: boundedText(name),
        ...this.#arguments(params?.arguments),
        ...traceOf(params),
      },
    };
    if (audit.failClosed !== true) return entry;
    const attempt = JSON.stringify({ time: new Date(began).toISOString(), event: "attempt", ...entry.line });
    return this.#file.append(attempt).then(
      () => entry,
      (error) => {
        const text = `Service unavailable: the call cannot be noted in the audit log (${messageOf(error)}); it was not made`;
        throw new FleetError("AUDIT_UNAVAILABLE", text, { cause: error });
      },
    );
  }

  /** It has ended: `ok`, `error` (the server's own), or the code of an error. */
  end({ line, began }: AuditEntry, outcome: string): void {
    const now = this.#options.clock();
    const text = JSON.stringify({
      time: new Date(now).toISOString(),
      event: "call",
      outcome,
      ms: now - began,
      ...line,
    });
    if (!refusals.has(outcome)) void this.#file.append(text).catch(() => {});
    else if (this.#byCaller.take(String(line.caller))) this.#noteRefusal(text);
    else this.#summarizeLater();
  }

  /** A call that no caller may make, such as one of a tool under `tools.deny`: noted within the bound of refusals. */
  stopped(principal: Principal, server: string, method: string, params: Params | undefined, outcome: string): void {
    const caller = boundedText(principal.caller, maxCallerChars);
    if (!this.#byCaller.take(caller)) {
      this.#summarizeLater();
      return;
    }
    const time = new Date(this.#options.clock()).toISOString();
    const said = params?.name ?? params?.uri;
    const name = typeof said === "string" ? { name: boundedText(said) } : {};
    const line = {
      time,
      event: "call",
      outcome,
      caller,
      by: principal.method,
      server,
      method: boundedText(method),
      ...name,
    };
    this.#noteRefusal(JSON.stringify(line));
  }

  /** Somebody was not let in. Past the bound it is only counted; the number follows within a minute. */
  refused(refusal: Refusal): void {
    if (!this.#byAddress.take(networkOf(refusal.address))) {
      this.#summarizeLater();
      return;
    }
    const time = new Date(this.#options.clock()).toISOString();
    const { reason, address } = refusal;
    const bounded = { reason: boundedText(reason), address: boundedText(address) };
    this.#noteRefusal(JSON.stringify({ time, event: "refused", ...refusal, ...bounded }));
  }

  async close(): Promise<void> {
    this.#summarize();
    await Promise.all([this.#file.close(), this.#refused.close()]);
  }

  #summarizeLater(): void {
    this.#summary ??= setTimeout(() => this.#summarize(), refusalWindowMs).unref();
  }

  /** Says how many refusals have no line of their own. */
  #summarize(): void {
    clearTimeout(this.#summary);
    this.#summary = undefined;
    const unnoted = this.#byAddress.leftOut() + this.#byCaller.leftOut();
    const time = new Date(this.#options.clock()).toISOString();
    if (unnoted > 0) this.#noteRefusal(JSON.stringify({ time, event: "refused", unnoted }));
  }

  #noteRefusal(text: string): void {
    for (const file of [this.#file, this.#refused]) void file.append(text).catch(() => {});
  }

  #arguments(args: unknown): object {
    const kept = this.#options.audit.arguments ?? "digest";
    if (args === undefined || kept === "none") return {};
    const argumentsDigest = () => `sha256:${hash("sha256", canonicalJson(args), "hex")}`;
    if (kept === "digest") return { argumentsDigest: argumentsDigest() };
    const text = JSON.stringify(args);
    if (text.length <= maxArgumentsChars) return { arguments: args };
    return { argumentsBegin: text.slice(0, maxArgumentsChars), argumentsDigest: argumentsDigest() };
  }
}

/** `audit.refused.log` beside `audit.log`. */
export function refusedPath(file: string): string {
  const extension = extname(file);
  return `${file.slice(0, file.length - extension.length)}.refused${extension}`;
}

/** The trace that the call belongs to (W3C Trace Context, in `_meta` as MCP carries it). */
function traceOf(params: Params | undefined): object {
  const traceparent = (params?._meta as Params | undefined)?.traceparent;
  const trace = typeof traceparent === "string" ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1] : undefined;
  return trace === undefined ? {} : { traceId: trace };
}
