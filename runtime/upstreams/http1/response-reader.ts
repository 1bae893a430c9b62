import { FleetError } from "../../errors.ts";

/** Header fields of a response by lower-case name; of a repeated field the values joined by ", " (RFC 9110, 5.3). */
export type ResponseHeaders = Readonly<Record<string, string>>;

/** Who reads one response. Chunks are views of a buffer that is used again: what is kept must be copied. */
export interface ResponseHandler {
  /** `length` is the body's length in bytes when the server said so. */
  onResponse(status: number, headers: ResponseHeaders, length: number | undefined): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
}

/** What comes next on the connection. */
const State = {
  Head: 0,
  Counted: 1,
  UntilClose: 2,
  ChunkSize: 3,
  Chunk: 4,
  ChunkEnd: 5,
  Trailer: 6,
  Done: 7,
} as const;
type State = (typeof State)[keyof typeof State];

/** Longest head, chunk line or trailer that is taken. */
const maxHeadBytes = 64 * 1024;
const maxLineBytes = 8 * 1024;
/** Interim responses to one request; servers send one or two (100, 103). */
const maxInterim = 16;

/**
 * Reads responses of HTTP/1.1 (RFC 9112) one after another, strictly: what could be read in two ways is refused, because
 * the bytes behind it would be taken for the answer to somebody else's request.
 */
export class ResponseReader {
  #handler: ResponseHandler | undefined;
  #state: State = State.Done;
  /** Bytes of a head or a line that has not ended yet, one character each. */
  #text = "";
  #remaining = 0;
  /** Interim responses to this request, and bytes of its trailers. */
  #interim = 0;
  #trailerBytes = 0;
  #keepAlive = false;

  /** After the response the connection can take another request. */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /** Expects the response to a request that has a body or may have none (not HEAD). */
  expect(handler: ResponseHandler): void {
    this.#handler = handler;
    this.#state = State.Head;
    this.#text = "";
    this.#interim = 0;
    this.#trailerBytes = 0;
    this.#keepAlive = false;
  }

  /** Takes what has arrived. Throws UPSTREAM_PROTOCOL for bytes that are no response, or that nobody asked for. */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case State.Head:
          at = this.#head(bytes, at);
          break;
        case State.Counted:
        case State.Chunk:
          at = this.#counted(bytes, at);
          break;
        case State.UntilClose:
          this.#handler?.onData(at === 0 ? bytes : bytes.subarray(at));
          return;
        case State.ChunkSize:
        case State.ChunkEnd:
        case State.Trailer:
          at = this.#line(bytes, at);
          break;
        default:
          // Behind a whole response it is the next one's turn to ask: nobody has asked for these bytes.
          if (this.#handler === undefined) throw broken("bytes came that belong to no request");
          this.#keepAlive = false;
          at = bytes.length;
      }
    }
    if (this.#state === State.Done) this.#tell();
  }

  /** The connection has ended. True when that was the end of the response. */
  ended(): boolean {
    if (this.#state !== State.UntilClose) return false;
    this.#state = State.Done;
    this.#tell();
    return true;
  }

  #head(bytes: Buffer, at: number): number {
    const before = this.#text.length;
    const text = this.#text + bytes.toString("latin1", at, Math.min(bytes.length, at + maxHeadBytes));
    const end = text.indexOf("\r\n\r\n", Math.max(before - 3, 0));
    if (end < 0) {
      if (text.length >= maxHeadBytes) throw broken(`the response's head exceeds ${maxHeadBytes} bytes`);
      this.#text = text;
      return bytes.length;
    }
    this.#text = "";
    this.#begin(text, end);
    return at + end + 4 - before;
  }

  #begin(text: string, end: number): void {
    const lineEnd = lineEndOf(text, 0);
    const status = statusOf(text);
    const headers = headersOf(text, lineEnd + 2, end);
    // Interim responses (RFC 9110, 15.2) come before the one that counts; nobody asked for another protocol.
    if (status < 200) {
      if (status === 101) throw broken("the server switched protocols unasked");
      this.#interim += 1;
      if (this.#interim > maxInterim) throw broken(`more than ${maxInterim} interim responses came`);
      return;
    }
    const close = headers.connection?.toLowerCase() === "close" || text.startsWith("HTTP/1.0");
    this.#keepAlive = !close;
    const coding = headers["transfer-encoding"];
    const counted = headers["content-length"];
    if (coding !== undefined) {
      if (counted !== undefined || coding.toLowerCase() !== "chunked") {
        throw broken(`the body's length is unclear (Transfer-Encoding: ${coding})`);
      }
      this.#handler?.onResponse(status, headers, undefined);
      this.#state = State.ChunkSize;
      return;
    }
    const empty = status === 204 || status === 304;
    const length = empty ? 0 : lengthOf(counted);
    this.#handler?.onResponse(status, headers, length);
    if (length === undefined) {
      this.#keepAlive = false;
      this.#state = State.UntilClose;
    } else if (length === 0) this.#state = State.Done;
    else {
      this.#remaining = length;
      this.#state = State.Counted;
    }
  }

  #counted(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remaining);
    this.#handler?.onData(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    this.#remaining -= end - at;
    if (this.#remaining === 0) this.#state = this.#state === State.Counted ? State.Done : State.ChunkEnd;
    return end;
  }

  #line(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(10, at);
    const upTo = end < 0 ? bytes.length : end + 1;
    this.#text += bytes.toString("latin1", at, upTo);
    if (this.#text.length > maxLineBytes) throw broken("a chunk's line is too long");
    if (end < 0) return upTo;
    const line = this.#text;
    this.#text = "";
    if (!line.endsWith("\r\n")) throw broken("a chunk's line does not end in CRLF");
    if (this.#state === State.ChunkSize) this.#chunk(line);
    else if (this.#state === State.Trailer) {
      this.#trailerBytes += line.length;
      if (line.length === 2) this.#state = State.Done;
      else if (this.#trailerBytes > maxHeadBytes) throw broken(`the trailers exceed ${maxHeadBytes} bytes`);
      // Trailers mean nothing here, but what is none could be a response to somebody else (RFC 9112, 7.1.2).
      else headersOf(line, 0, line.length - 2);
    } else if (line.length === 2) this.#state = State.ChunkSize;
    else throw broken("a chunk is longer than it said");
    return upTo;
  }

  #chunk(line: string): void {
    let size = 0;
    let at = 0;
    for (; at < line.length; at += 1) {
      const digit = hexDigit(line.charCodeAt(at));
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    const rest = line.charCodeAt(at);
    // Behind the size comes the line's end, or an extension, which means nothing here (RFC 9112, 7.1.1).
    if (at === 0 || at > 12 || (rest !== 13 && rest !== 59 && rest !== 32 && rest !== 9)) {
      throw broken("a chunk's size is no hexadecimal number");
    }
    this.#remaining = size;
    this.#state = size === 0 ? State.Trailer : State.Chunk;
  }

  /** After the last byte that has arrived: whoever hears of the end may ask again at once. */
  #tell(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onEnd();
  }
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** `HTTP/1.1 200 OK`. */
function statusOf(text: string): number {
  const version = text.startsWith("HTTP/1.1 ") || text.startsWith("HTTP/1.0 ");
  const status = digit(text, 9) * 100 + digit(text, 10) * 10 + digit(text, 11);
  const behind = text.charCodeAt(12);
  if (!version || !(status >= 100 && status < 600) || (behind !== 32 && behind !== 13)) {
    throw broken("the answer is not HTTP/1.1");
  }
  return status;
}

/** One digit; NaN for anything else. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at) - 48;
  return code >= 0 && code <= 9 ? code : Number.NaN;
}

/** Which characters a field's name may have (RFC 9110, 5.6.2). */
const inToken = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  inToken[character.charCodeAt(0)] = 1;
}

/** Neither a folded line nor blanks before the colon (RFC 9112, 5.1 and 5.2): both have been used to smuggle. */
function isToken(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) if (inToken[text.charCodeAt(at)] !== 1) return false;
  return end > from;
}

/** Where the line ends that begins at `from`, before its CRLF. A bare CR or LF ends it for others (RFC 9112, 2.2). */
function lineEndOf(text: string, from: number): number {
  const end = text.indexOf("\n", from) - 1;
  if (end < from || text.indexOf("\r", from) !== end)
    throw broken("a line of the response's head does not end in CRLF");
  return end;
}

/** The fields of the lines from `from` on; `end` is where the last one ends, before its CRLF. */
function headersOf(text: string, from: number, end: number): ResponseHeaders {
  const headers: Record<string, string> = Object.create(null);
  for (let at = from; at < end; ) {
    const lineEnd = lineEndOf(text, at);
    const colon = text.indexOf(":", at);
    if (colon > lineEnd || !isToken(text, at, colon)) throw broken("a header line of the response is malformed");
    const name = text.slice(at, colon).toLowerCase();
    const value = text.slice(colon + 1, lineEnd).trim();
    if (value.includes("\0")) throw broken("a header line of the response is malformed");
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
    at = lineEnd + 2;
  }
  return headers;
}

/** Digits only, and one value (RFC 9112, 6.3). */
function lengthOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) throw broken(`Content-Length is "${text}"`);
  }
  const length = Number(text);
  if (text === "" || !Number.isSafeInteger(length)) throw broken(`Content-Length is "${text}"`);
  return length;
}

function broken(problem: string): FleetError {
  return new FleetError("UPSTREAM_PROTOCOL", `the server broke HTTP/1.1: ${problem}`);
}
