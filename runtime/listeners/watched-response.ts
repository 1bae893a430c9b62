import { ServerResponse } from "node:http";
import type { ByteBudget } from "./byte-budget.ts";
import { IncomingRequest } from "./incoming-request.ts";

/** The class of responses of Node's server whose bytes, and those of their requests, count for a budget (`ServerResponse` option of http.createServer). */
export function responsesWithin(budget: ByteBudget): typeof ServerResponse<IncomingRequest> {
  return class WatchedResponse extends ServerResponse<IncomingRequest> {
    constructor(request: IncomingRequest, options?: object) {
      // The options are not in Node's types: its server gives them.
      super(...([request, options] as unknown as [IncomingRequest]));
      if (request instanceof IncomingRequest) request.countFor(budget, this);
    }

    override write(...args: unknown[]): boolean {
      const more = super.write(...(args as [string]));
      budget.unread(this);
      return more;
    }

    override end(...args: unknown[]): this {
      super.end(...(args as [string]));
      budget.unread(this);
      return this;
    }
  };
}
