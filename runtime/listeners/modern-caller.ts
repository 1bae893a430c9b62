import { FleetError } from "../errors.ts";
import { clientRequests } from "../protocol/client-requests.ts";
import type { Exchange, ExchangeClient } from "../protocol/exchange.ts";
import { encodeNotification, type Params, type RpcReply } from "../protocol/json-rpc.ts";
import { wantsLog } from "../protocol/log-levels.ts";
import type { ModernDeclaration } from "../protocol/modern-request.ts";
import type { ParkedCall } from "../protocol/parked-call.ts";
import type { Question } from "../protocol/questions.ts";
import { leaseOfCaller } from "../registry/fleet.ts";
import type { ServiceClient } from "../routing/mcp-service.ts";
import type { Answer } from "./target.ts";

/** Only these may be answered with a wish for input (basic/patterns/mrtr). */
const askable = new Set(["tools/call", "prompts/get", "resources/read"]);

/**
 * The client of one stateless call. It has no session, so what servers keep for it they keep for its caller. While a
 * call is parked, the client comes back with a new request: what belongs to the connection is exchanged then.
 */
export class ModernCaller implements ExchangeClient, ServiceClient {
  readonly modern = true;
  readonly owner: string;
  readonly caller: string;
  readonly fleets = new Set<string>();
  readonly capabilities: Params;
  readonly clientInfo: Params | undefined;
  readonly logLevel: string | undefined;
  readonly #method: string;
  readonly #call: ParkedCall;
  #answer: Answer;
  #missing: FleetError | undefined;

  constructor(caller: string, method: string, declared: ModernDeclaration, call: ParkedCall, answer: Answer) {
    this.owner = leaseOfCaller(caller);
    this.caller = caller;
    this.capabilities = declared.capabilities;
    this.clientInfo = declared.clientInfo;
    this.logLevel = declared.logLevel;
    this.#method = method;
    this.#call = call;
    this.#answer = answer;
  }

  /** CAPABILITY_MISSING when the server asked for what the client has not declared; it may have gone on without. */
  get missing(): FleetError | undefined {
    return this.#missing;
  }

  /** It comes back by itself: how long its call is parked for it is bounded by `ParkedCalls`. */
  get present(): boolean {
    return true;
  }

  /** Its parked call goes on under another request. */
  cameBack(answer: Answer): void {
    this.#answer = answer;
  }

  /** Progress and log lines of the call. */
  told(method: string, params: Params | undefined, exchange: Exchange): void {
    if (method === "notifications/message" && !(this.logLevel && wantsLog(this.logLevel, params?.level))) return;
    this.#answer.send(encodeNotification(method, params));
    exchange.holdUntil(this.#answer.caughtUp?.());
  }

  notify(message: string): boolean {
    return this.#answer.send(message);
  }

  async ask(method: string, params: Params | undefined, question: Question): Promise<RpcReply> {
    const capability = clientRequests.get(method) as string;
    if (!askable.has(this.#method)) throw new FleetError("METHOD_UNKNOWN", `${this.#method} may not ask the client`);
    if (this.capabilities[capability] === undefined) {
      const data = { requiredCapabilities: { [capability]: {} } };
      const text = `The call needs the client's capability "${capability}", which it has not declared`;
      const error = new FleetError("CAPABILITY_MISSING", text, { data });
      this.#missing = error;
      // A server that asks several things at once may give up at the first refusal: what the client can answer goes first.
      await this.#call.gathered();
      throw error;
    }
    return this.#call.ask(method, params, question);
  }
}
