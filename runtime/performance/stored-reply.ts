import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { RawReply } from "../protocol/raw-reply.ts";

/** The text of a result; with `declared` without its `ttlMs` and the opening brace, so that another time can go before. */
export function textOf(reply: RpcReply, declared: boolean): string {
  if ("error" in reply) throw new TypeError("an error is not kept");
  if (declared) {
    const { ttlMs: _said, ...rest } = reply.result as Params;
    return JSON.stringify(rest).slice(1);
  }
  return reply instanceof RawReply ? reply.text : JSON.stringify(reply.result);
}

/** Not the result itself, but what one client must do to get it. */
const forOne = new Set<unknown>(["input_required", "task"]);

/**
 * Does the server want something of the client first (basic/patterns/mrtr), or has it made a task (SEP-2663)? Does not parse
 * an answer that cannot.
 */
export function asksClient(reply: RpcReply): boolean {
  if ("error" in reply) return false;
  if (reply instanceof RawReply && !/"(?:input_required|task)"/.test(reply.text)) return false;
  return forOne.has((reply.result as Params | undefined)?.resultType);
}
