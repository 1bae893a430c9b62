import { FleetError } from "../errors.ts";
import { parseJson } from "./exact-json.ts";
import { behindBlanks, closeObject, closesAtEnd, colon, comma, openObject, quote, valueEnd } from "./json-scan.ts";
import { shapeOf } from "./json-shape.ts";

/**
 * A server's successful reply whose result is still the server's own text: it is parsed only when somebody looks inside,
 * and relayed at the cost of its bytes. Stands wherever `{ result }` does.
 */
export class RawReply {
  #bytes: Buffer | undefined;
  #release: (() => void) | undefined;
  #borrowers = 0;
  #text: string | undefined;
  #value: unknown;

  /**
   * One JSON value on one line, or the bytes of one with a closing bracket behind it, unchecked; `release` takes back
   * their memory when they have been sent.
   */
  constructor(result: string | Buffer, release?: () => void) {
    if (typeof result === "string") this.#text = result;
    else this.#bytes = result;
    this.#release = release;
  }

  /** One JSON value on one line. Throws UPSTREAM_PROTOCOL for bytes that are none. */
  get text(): string {
    if (this.#text === undefined) {
      if (this.#bytes === undefined) throw new Error("a reply was used after it had been sent; keep() it before");
      this.#text = checked(this.#bytes.toString());
    }
    return this.#text;
  }

  /** The reply will be used again, or by several: its memory is not taken back. */
  keep(): void {
    this.#release = undefined;
  }

  /**
   * The result and the closing bracket of its message, for one who sends them and says `sent` when they have gone;
   * undefined for a reply that is text.
   */
  borrow(): Buffer | undefined {
    if (this.#bytes !== undefined) this.#borrowers += 1;
    return this.#bytes;
  }

  sent(): void {
    this.#borrowers -= 1;
    if (this.#borrowers > 0 || this.#release === undefined) return;
    // From here on whoever asks fails; nobody gets to see what the memory holds next.
    this.#bytes = undefined;
    this.#release();
    this.#release = undefined;
  }

  /** Throws a SyntaxError for a text that is no JSON, UPSTREAM_PROTOCOL for one that would take too long to read. */
  get result(): unknown {
    this.#value ??= parse(this.text);
    return this.#value;
  }

  toJSON(): { readonly result: unknown } {
    return { result: this.result };
  }
}

/** A response taken apart, its result unread. */
export interface RawResponse {
  /** As the server wrote it: `7`, and not what is equal to it (`7.0`, `"7"`). */
  readonly id: string;
  readonly reply: RawReply;
}

/** What a response begins with whose result comes first, in one of the two orders that servers write (the SDKs among them). */
const resultFirst = '{"result":';
/** Longer than what stands around a result. */
const edgeBytes = 64;

/**
 * Takes the bytes of a large response apart without a parse: its brackets and quotes are followed, so that the result can
 * stand inside another message. Undefined when it is not the answer to the request `id`, or does not begin and end as
 * usual. The bytes are the caller's to give away: one of them is changed.
 */
export function takeBytesApart(body: Buffer, id: number, release: () => void): RawReply | undefined {
  const start = body.toString("latin1", 0, edgeBytes);
  const resultLast = `{"jsonrpc":"2.0","id":${id},"result":`;
  if (start.startsWith(resultLast)) {
    return closesAtEnd(body, resultLast.length) ? new RawReply(body.subarray(resultLast.length), release) : undefined;
  }
  const end = `,"jsonrpc":"2.0","id":${id}}`;
  if (!start.startsWith(resultFirst) || !body.toString("latin1", body.length - end.length).endsWith(end))
    return undefined;
  const behind = body.length - end.length;
  const before = body[behind] as number;
  body[behind] = closeObject;
  const result = body.subarray(0, behind + 1);
  if (closesAtEnd(result, resultFirst.length)) return new RawReply(result.subarray(resultFirst.length), release);
  body[behind] = before;
  return undefined;
}

function parse(text: string): unknown {
  const { flaw, exact } = shapeOf(text);
  if (flaw !== undefined) throw new FleetError("UPSTREAM_PROTOCOL", `the server's result cannot be read: ${flaw}`);
  return parseJson(text, exact);
}

function checked(resultAndBracket: string): string {
  const response = takeApart(`{"id":0,"result":${resultAndBracket}`);
  if (response !== undefined) return response.reply.text;
  try {
    return JSON.stringify(parse(resultAndBracket.slice(0, -1)));
  } catch (cause) {
    if (cause instanceof FleetError) throw cause;
    throw new FleetError("UPSTREAM_PROTOCOL", "the server's result is not JSON", { cause });
  }
}

/**
 * Takes a successful response apart, `{"jsonrpc":"2.0","id":…,"result":…}` in any order and nothing else. Its brackets and
 * quotes are followed, so that the result can stand inside another message. Undefined for every other text, which is
 * then to be parsed.
 */
export function takeApart(text: string): RawResponse | undefined {
  // A line break between two tokens would end a line of an event stream, or of standard streams.
  if (text.charCodeAt(0) !== openObject || text.includes("\n") || text.includes("\r")) return undefined;
  let id: string | undefined;
  let reply: RawReply | undefined;
  for (let at = 1; ; at += 1) {
    at = behindBlanks(text, at);
    if (text.charCodeAt(at) !== quote) return undefined;
    const keyEnd = text.indexOf('"', at + 1);
    const from = behindBlanks(text, keyEnd + 2);
    if (keyEnd < 0 || text.charCodeAt(keyEnd + 1) !== colon) return undefined;
    const end = valueEnd(text, from);
    if (end < 0) return undefined;
    const value = text.slice(from, end);
    const key = text.slice(at + 1, keyEnd);
    if (key === "id" && id === undefined) id = value;
    else if (key === "result" && reply === undefined) reply = new RawReply(value);
    else if (key !== "jsonrpc" || value !== '"2.0"') return undefined;
    at = behindBlanks(text, end);
    const next = text.charCodeAt(at);
    if (next === closeObject) {
      if (behindBlanks(text, at + 1) !== text.length || id === undefined || reply === undefined) return undefined;
      return { id, reply };
    }
    if (next !== comma) return undefined;
  }
}
