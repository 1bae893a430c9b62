import { withoutSecrets } from "./secret-guard.ts";

/** One kind of error: how it shows on each wire. `rpc` codes lie outside the range that JSON-RPC and MCP reserve. */
interface ErrorKind {
  /** HTTP status of the answer. */
  readonly status: number;
  /** JSON-RPC error code. */
  readonly rpc: number;
  /** May the caller send the same request again and hope? */
  readonly retryable: boolean;
}

const kind = (status: number, rpc: number, retryable = false): ErrorKind => ({ status, rpc, retryable });

/** Every coded error of the runtime; `docs/errors.md` explains each one (a test compares them). */
export const ErrorKinds = {
  CONFIG_INVALID: kind(400, -31001),
  CONFIG_UNREADABLE: kind(400, -31002),
  REFERENCE_UNRESOLVED: kind(400, -31003),
  ADDRESS_IN_USE: kind(500, -31004),
  ADDRESS_NEEDS_AUTH: kind(500, -31005),
  STATE_UNWRITABLE: kind(500, -31006),
  COMMAND_NOT_FOUND: kind(502, -31007),
  PACKAGE_NOT_INSTALLED: kind(502, -31008),
  SANDBOX_UNAVAILABLE: kind(502, -31044),
  INSTANCE_START_FAILED: kind(502, -31009, true),
  INSTANCE_LOST: kind(502, -31010, true),
  INSTANCE_OVER_LIMIT: kind(502, -31043),
  UPSTREAM_PROTOCOL: kind(502, -31011),
  UPSTREAM_UNREACHABLE: kind(502, -31012, true),
  UPSTREAM_SESSION_EXPIRED: kind(502, -31019, true),
  UPSTREAM_LOGIN_NEEDED: kind(502, -31041),
  UPSTREAM_CREDENTIALS: kind(502, -31042),
  CANCELLED: kind(499, -31020),
  POOL_EXHAUSTED: kind(503, -31013, true),
  NO_INSTANCES: kind(503, -31030, true),
  OVERLOADED: kind(503, -31031, true),
  CIRCUIT_OPEN: kind(503, -31032, true),
  REQUEST_TIMEOUT: kind(504, -31014, true),
  QUEUE_FULL: kind(503, -31040, true),
  DRAINING: kind(503, -31015, true),
  SERVER_UNKNOWN: kind(404, -31016),
  INSTANCE_UNKNOWN: kind(404, -31033),
  WORKER_LOST: kind(502, -31060, true),
  GATEWAY_UNREACHABLE: kind(502, -31017, true),
  PARSE_ERROR: kind(400, -32700),
  INVALID_REQUEST: kind(400, -32600),
  METHOD_NOT_FOUND: kind(200, -32601),
  INVALID_PARAMS: kind(200, -32602),
  SESSION_MISSING: kind(400, -32600),
  SESSION_UNKNOWN: kind(404, -32001),
  VERSION_UNSUPPORTED: kind(400, -32600),
  REVISION_UNKNOWN: kind(400, -32022),
  ENVELOPE_INVALID: kind(400, -32602),
  HEADER_MISMATCH: kind(400, -32020),
  CAPABILITY_MISSING: kind(400, -32021),
  METHOD_UNKNOWN: kind(404, -32601),
  BODY_TOO_LARGE: kind(413, -32600),
  NOT_ACCEPTABLE: kind(406, -32600),
  MEDIA_TYPE: kind(415, -32600),
  HOST_REFUSED: kind(403, -32600),
  ORIGIN_REFUSED: kind(403, -32600),
  UNAUTHENTICATED: kind(401, -31018),
  TOKEN_REFUSED: kind(401, -31030),
  FORBIDDEN: kind(403, -31031),
  SCOPE_MISSING: kind(403, -31032),
  RATE_LIMITED: kind(429, -31033, true),
  AUTH_BUSY: kind(503, -31034, true),
  AUTH_UNAVAILABLE: kind(503, -31035, true),
  TOOL_HELD: kind(403, -31036),
  AUDIT_UNAVAILABLE: kind(503, -31037, true),
  INTERNAL: kind(500, -32603),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ErrorKinds;

export interface FleetErrorOptions {
  readonly cause?: unknown;
  readonly data?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

/** An error that the runtime foresaw. The message names the file or component, the field, the value and the fix. */
export class FleetError extends Error {
  readonly code: ErrorCode;
  /** Extra facts for machines; appears as JSON-RPC `error.data`. Never holds secrets. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
  /** Headers of the HTTP answer, where there is one: a challenge, when to come back. */
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(code: ErrorCode, message: string, options: FleetErrorOptions = {}) {
    super(withoutSecrets(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "FleetError";
    this.code = code;
    this.data = options.data;
    this.headers = options.headers;
  }

  get kind(): ErrorKind {
    return ErrorKinds[this.code];
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
