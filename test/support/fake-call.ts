import { Exchange } from "../../runtime/protocol/exchange.ts";
import type { Params, RpcReply } from "../../runtime/protocol/json-rpc.ts";
import type { FleetClient } from "../../runtime/registry/fleet.ts";
import type { FleetCall } from "../../runtime/registry/fleet-call.ts";

/** A call that has reached the end of the stages, and that the test answers. */
export interface MadeCall {
  readonly client: FleetClient;
  readonly method: string;
  readonly params: Params | undefined;
  readonly exchange: Exchange;
  answer(reply: RpcReply): void;
  fail(error: Error): void;
}

/** The end of a pipeline of stages: keeps what arrives. */
export class FakeCall {
  readonly made: MadeCall[] = [];

  readonly call: FleetCall = (client, method, params, exchange) =>
    new Promise((answer, fail) => {
      this.made.push({ client, method, params, exchange, answer, fail });
    });

  get last(): MadeCall {
    return this.made.at(-1) as MadeCall;
  }
}

/** A call of a tool through a stage, and what it was made with. */
export function callTool(
  stage: FleetCall,
  name: string,
  args: Params = {},
  { meta, set = () => {}, ...more }: CallTerms = {},
): { readonly reply: Promise<RpcReply>; readonly exchange: Exchange; readonly heard: unknown[] } {
  const heard: unknown[] = [];
  const exchange = new Exchange(1000, (method, params) => heard.push({ method, params }));
  set(exchange);
  const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
  return {
    reply: stage({ owner: "session", caller: "anna", ...more }, "tools/call", params, exchange).then(plain),
    exchange,
    heard,
  };
}

/** A reply with its result read. */
export const plain = (reply: RpcReply): RpcReply => ("error" in reply ? reply : { result: reply.result });

interface CallTerms {
  readonly caller?: string | undefined;
  readonly owner?: string;
  readonly meta?: Params;
  readonly set?: (exchange: Exchange) => void;
}
