import { hash } from "node:crypto";
import { accessSync, constants, mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Logger } from "pino";
import { createStream, type RotatingFileStream } from "rotating-file-stream";
import type { Audit } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import type { SecurityMetrics } from "../observability/security-metrics.ts";
import { canonicalJson } from "../performance/canonical-json.ts";
import type { Params } from "../protocol/json-rpc.ts";
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

/** What is noted: calls that do or read something. Lists and pings are not. */
const noted = new Set(["tools/call", "prompts/get", "resources/read", "completion/complete", "resources/subscribe"]);
// A refusal is a line of about 250 bytes: a flood writes 75 KB a minute at most.
const defaults = { maxBytes: 100 * 1024 * 1024, maxFiles: 10, refusalsPerMinute: 300 };
/** Lines that wait for a slow disk; past it they are lost, and counted. */
const maxWaitingBytes = 8 * 1024 * 1024;

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
 * Appends one JSON line per call: who, what, when, with which outcome; and one per caller that was not let in. With `failClosed` the attempt is on its way to the
 * disk before the call is sent, and a call that cannot be noted is refused.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #stream: RotatingFileStream;
  readonly #bound: RefusalBound;
  #summary: NodeJS.Timeout | undefined;
  #broken: string | undefined;

  /** Throws CONFIG_INVALID when the folder cannot be written to. */
  constructor(options: AuditLogOptions) {
    const { file, maxBytes, maxFiles, refusalsPerMinute } = { ...defaults, ...options.audit };
    this.#options = options;
    this.#bound = new RefusalBound(refusalsPerMinute, options.clock);
    try {
      mkdirSync(dirname(file), { recursive: true });
      accessSync(dirname(file), constants.W_OK);
    } catch (error) {
      throw new FleetError(
        "CONFIG_INVALID",
        `gateway.audit.file: ${file} cannot be written (${messageOf(error)}); correct the path`,
      );
    }
    this.#stream = createStream(basename(file), { path: dirname(file), size: `${maxBytes}B`, maxFiles, mode: 0o600 });
    this.#stream.on("error", (error) => {
      this.#broken = messageOf(error);
      options.log.error({ err: error }, "audit: the log cannot be written");
    });
  }

  /** A call begins; undefined for one that is not noted. Rejects with AUDIT_UNAVAILABLE when it must be noted and cannot. */
  begin(
    principal: Principal,
    server: string,
    method: string,
    params: Params | undefined,
    subject: Subject = subjectOf(method, params),
  ): AuditEntry | Promise<AuditEntry> | undefined {
    if (!noted.has(method)) return undefined;
    const { clock, audit } = this.#options;
    const began = clock();
    const { kind, name } = subject;
    const entry = {
      began,
      line: {
        ...{ caller: principal.caller, by: principal.method, server, method, [kind]: name },
        ...this.#arguments(params?.arguments),
        ...traceOf(params),
      },
    };
    if (audit.failClosed !== true) return entry;
    return this.#write({ time: new Date(began).toISOString(), event: "attempt", ...entry.line }).then(
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
    const times = { time: new Date(now).toISOString(), event: "call", outcome, ms: now - began };
    void this.#write({ ...times, ...line }).catch(() => this.#options.metrics.auditLost());
  }

  /** Somebody was not let in. Past the bound it is only counted; the number follows within a minute. */
  refused(refusal: Refusal): void {
    if (this.#bound.take(refusal.address)) {
      this.#noteRefusal({ ...refusal });
      return;
    }
    this.#summary ??= setTimeout(() => this.#summarize(), refusalWindowMs).unref();
  }

  close(): Promise<void> {
    this.#summarize();
    return new Promise((resolve) => {
      if (this.#broken !== undefined) resolve();
      else this.#stream.end(resolve);
    });
  }

  /** Says how many refusals have no line of their own. */
  #summarize(): void {
    clearTimeout(this.#summary);
    this.#summary = undefined;
    const unnoted = this.#bound.leftOut();
    if (unnoted > 0) this.#noteRefusal({ unnoted });
  }

  #noteRefusal(facts: object): void {
    const time = new Date(this.#options.clock()).toISOString();
    void this.#write({ time, event: "refused", ...facts }).catch(() => this.#options.metrics.auditLost());
  }

  #write(line: object): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(new Error(this.#broken));
    if (this.#stream.writableLength > maxWaitingBytes) return Promise.reject(new Error("the disk is too slow"));
    return new Promise((resolve, reject) =>
      this.#stream.write(`${JSON.stringify(line)}\n`, (error) => (error ? reject(error) : resolve())),
    );
  }

  #arguments(args: unknown): object {
    const kept = this.#options.audit.arguments ?? "digest";
    if (args === undefined || kept === "none") return {};
    return kept === "content"
      ? { arguments: args }
      : { argumentsDigest: `sha256:${hash("sha256", canonicalJson(args), "hex")}` };
  }
}

/** The trace that the call belongs to (W3C Trace Context, in `_meta` as MCP carries it). */
function traceOf(params: Params | undefined): object {
  const traceparent = (params?._meta as Params | undefined)?.traceparent;
  const trace = typeof traceparent === "string" ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1] : undefined;
  return trace === undefined ? {} : { traceId: trace };
}
