import { FleetError } from "../../errors.ts";
import { Redactor } from "../../observability/redactor.ts";

interface Refused {
  readonly error?: unknown;
  readonly error_description?: unknown;
}

/** An authorization server may say what it has to say in `WWW-Authenticate`. */
function challenged(cause: unknown): Refused {
  const challenges = (cause as { cause?: unknown }).cause;
  const [first] = Array.isArray(challenges) ? (challenges as { parameters?: Refused }[]) : [];
  return first?.parameters ?? {};
}

/** `WWW_AUTHENTICATE_CHALLENGE` of oauth4webapi, which is loaded with the first server that wants it. */
const challengeCode = "OAUTH_WWW_AUTHENTICATE_CHALLENGE";

/** The code of an error that a token endpoint answered (RFC 6749, 5.2); undefined for other errors. */
export function oauthError(cause: unknown): string | undefined {
  const { error, code, status } = { ...(cause as object), ...challenged(cause) } as Refused & {
    readonly code?: unknown;
    readonly status?: unknown;
  };
  if (typeof error === "string") return error;
  // A server that challenges the client need not name the error.
  return code === challengeCode && status === 401 ? "invalid_client" : undefined;
}

/** What of an error of OAuth is for people: its code and description (RFC 6749, 5.2), or the text of another error. */
function reasonOf(cause: unknown): string {
  if (typeof cause === "string") return cause;
  const { error, error_description: description } = { ...(cause as object), ...challenged(cause) } as Refused;
  if (typeof error !== "string") return deepest(cause, String((cause as Partial<Error>).message));
  return typeof description === "string" ? `${error} (${description})` : error;
}

/** Errors of `fetch` and of oauth4webapi say the real reason in their cause. */
function deepest(error: unknown, text: string): string {
  const { cause } = error as { readonly cause?: unknown };
  // Its text repeats what was parsed, which is not for callers.
  if (isSyntaxError(error)) return "the answer is no JSON";
  if (isSyntaxError(cause)) return text;
  const { message, code } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  const why = message || code;
  return why === undefined ? text : `${text}: ${why}`;
}

const isSyntaxError = (error: unknown): boolean => (error as Partial<Error> | undefined)?.name === "SyntaxError";

const maxReason = 300;

/**
 * The error for a token that cannot be had for `server`. `secrets` do not appear in its text, even when a foreign server
 * repeats them.
 */
export function credentialFailure(server: string, secrets: readonly string[], url: URL, cause: unknown): FleetError {
  if (cause instanceof FleetError) return cause;
  // Secrets first: a cut or changed one would not be found.
  const reason = new Redactor(() => secrets)
    .clean(reasonOf(cause))
    .replace(/[^\x20-\x7e]+/g, " ")
    .slice(0, maxReason);
  const fix = `check servers.${server}.credentials`;
  return new FleetError("UPSTREAM_CREDENTIALS", `${server}: no access to ${url.origin}: ${reason}; ${fix}`);
}
