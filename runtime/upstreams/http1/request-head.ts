import { FleetError } from "../../errors.ts";

/** Header fields of a request, by name. */
export type RequestHeaders = Readonly<Record<string, string>>;

/**
 * The head of a request up to its last header line, without the blank line (RFC 9112, 3). Made once for requests that
 * have the same headers. Throws UPSTREAM_PROTOCOL for a value that would end its line early.
 */
export function requestHead(method: string, path: string, host: string, headers: RequestHeaders): string {
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\naccept-encoding: identity\r\n`;
  for (const name in headers) {
    const value = headers[name] as string;
    if (!isFieldValue(value)) {
      throw new FleetError(
        "UPSTREAM_PROTOCOL",
        `the value of the header ${name} has a character that no header may have`,
      );
    }
    head += `${name}: ${value}\r\n`;
  }
  return head;
}

/** Can a header have this value? Visible ASCII, blanks and tabs (RFC 9110, 5.5, without what is left there of other character sets). */
export function isFieldValue(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if ((code < 32 && code !== 9) || code > 126) return false;
  }
  return true;
}
