import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcMessage, RpcReply } from "../protocol/json-rpc.ts";
import type { ModernWire } from "./modern-session.ts";
import type { Multiplexer } from "./multiplexer.ts";
import type { EndReason } from "./upstream-session.ts";

/** A subscription lasts until it is closed. */
const forEver = 2 ** 31 - 1;

/** The stateless era over one full-duplex connection, such as standard streams (2026-07-28, basic/transports). */
export class ModernMultiplexedWire implements ModernWire {
  readonly ended: Promise<EndReason>;
  readonly #mux: Multiplexer;
  readonly #close: () => Promise<void>;
  #onMessage: (message: RpcMessage) => void = () => {};

  constructor(mux: Multiplexer, ended: Promise<EndReason>, close: () => Promise<void>) {
    this.#mux = mux;
    this.ended = ended;
    this.#close = close;
  }

  request(method: string, params: Params, exchange: Exchange): Promise<RpcReply> {
    return this.#mux.request(method, params, exchange);
  }

  /** One connection carries one subscription at a time: what the server says unasked belongs to the latest. */
  listen(params: Params, onMessage: (message: RpcMessage) => void) {
    this.#onMessage = onMessage;
    const exchange = new Exchange(forEver);
    const ended = this.#mux.request("subscriptions/listen", params, exchange).then((reply) => "error" in reply);
    return { ended, close: () => exchange.cancel("closed") };
  }

  /** A notification that belongs to no call. */
  heard(method: string, params: Params | undefined): void {
    this.#onMessage({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  close(): Promise<void> {
    return this.#close();
  }
}
