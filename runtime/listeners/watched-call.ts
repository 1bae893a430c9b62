import type { ServerResponse } from "node:http";
import type { Exchange } from "../protocol/exchange.ts";

const left = "the client closed the connection";

/**
 * The calls of one request of the REST interface. Nobody can fetch their answer later, so they end when the client closes
 * the connection.
 */
export class WatchedCall {
  #exchange: Exchange | undefined;
  #left = false;

  constructor(response: ServerResponse) {
    response.once("close", () => {
      if (response.writableFinished) return;
      this.#left = true;
      this.#exchange?.cancel(left);
    });
  }

  /** Of several calls the latest one is under way. */
  began(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#left) exchange.cancel(left);
  }
}
