import type { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { CatalogKind } from "../registry/catalog.ts";
import type { Fleet, FleetClient } from "../registry/fleet.ts";
import { localPrincipal, type Principal } from "./principal.ts";

/** What one caller may do with the fleets, and the only way to call them for it. */
export interface Access {
  readonly principal: Principal;
  /**
   * Before the gateway answers a request itself (a list, a ping). `cost` is the number of requests that it counts as, 1 by
   * default. Throws or rejects when it may not.
   */
  enter(method: string, exchange: Exchange, cost?: number): Promise<void> | undefined;
  /** Before something that the gateway asks of a fleet for the caller. Throws or rejects with FORBIDDEN or SCOPE_MISSING. */
  check(fleet: Fleet, method: string, params: Params | undefined): Promise<void> | undefined;
  /**
   * One call of the caller. Throws or rejects with what forbids it, before anything goes to a server. A call about a
   * task is judged by the `tool` that made it, and refused without one.
   */
  call(
    fleet: Fleet,
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
    tool?: string,
  ): Promise<RpcReply>;
  /** A refusal as the caller hears it at `/mcp/<server>`, where a challenge names this path. */
  refusal(error: FleetError, server: string | undefined): FleetError;
  /** Of a fleet's list, what the caller may use. */
  visible<Item>(fleet: Fleet, kind: CatalogKind, items: readonly Item[]): readonly Item[];
  /** May the caller use anything of the fleet? */
  reaches(fleet: Fleet): boolean;
  /** May the caller learn that the fleet exists? Else it is answered as one that does not. */
  knows(fleet: Fleet): boolean;
}

/** Access without any bound: nothing is configured that would set one, so it costs nothing. */
export class OpenAccess implements Access {
  readonly principal: Principal;

  constructor(principal: Principal) {
    this.principal = principal;
  }

  enter(): undefined {}

  check(fleet: Fleet, method: string, params: Params | undefined): undefined {
    fleet.gate.check(method, params);
  }

  call(
    fleet: Fleet,
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
    tool?: string,
  ): Promise<RpcReply> {
    return fleet.call(client, method, params, exchange, tool);
  }

  refusal(error: FleetError): FleetError {
    return error;
  }

  visible<Item>(_fleet: Fleet, _kind: CatalogKind, items: readonly Item[]): readonly Item[] {
    return items;
  }

  reaches(): boolean {
    return true;
  }

  knows(): boolean {
    return true;
  }
}

/** Access of programs in this process, and of everybody where nothing is configured. */
export const openAccess: Access = new OpenAccess(localPrincipal);
