/** A server's refusal for want of credentials (RFC 6750, 3; RFC 9728, 5.1). */
export interface Refusal {
  readonly status: number;
  /** `WWW-Authenticate`, if it came. */
  readonly challenge: string | undefined;
  /** The lines that the refused request carried: meanwhile there may be newer ones. */
  readonly sent: string;
}

/** What requests to one server carry so that it lets them in. */
export interface Credentials {
  /** Has each caller credentials of its own, so that callers may not share a session with the server? */
  readonly perCaller: boolean;
  /**
   * The header lines, each ended by CRLF, for a request to `url` on behalf of a caller, or of the gateway itself when
   * there is none; empty when the server is to be asked first what it wants. Rejects with UPSTREAM_CREDENTIALS.
   */
  linesFor(url: URL, caller: string | undefined): string | Promise<string>;
  /**
   * The server has refused. Resolves when the request may be sent again, with the lines of then; rejects with
   * UPSTREAM_LOGIN_NEEDED when a person has to act, or with UPSTREAM_CREDENTIALS.
   */
  refused(url: URL, caller: string | undefined, refusal: Refusal): Promise<void>;
}

/** Has a server refused for want of credentials? */
export const isRefusal = (status: number): boolean => status === 401 || status === 403;

/** Header lines with a bearer token (RFC 6750, 2.1). */
export const bearerLines = (token: string): string => headerLine("authorization", `Bearer ${token}`);

/** One header line. Throws a RangeError for a value that would end its line early; the text does not show it. */
export function headerLine(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
  if (/[\u0000-\u0008\u000a-\u001f\u007f-\uffff]/.test(value)) {
    throw new RangeError(`the value for the header ${name} has a character that no header may have`);
  }
  return `${name.toLowerCase()}: ${value}\r\n`;
}

/** Header lines as the fields that other HTTP clients want. */
export function headersOfLines(lines = ""): Record<string, string> {
  const fields = lines.split("\r\n").filter((line) => line !== "");
  return Object.fromEntries(
    fields.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
}
