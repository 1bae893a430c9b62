import type { Params } from "../../protocol/json-rpc.ts";
import type { ToolDescription } from "../catalog.ts";

/** Calls of these methods change nothing. */
const idempotent = new Set([
  "ping",
  "tools/list",
  "prompts/list",
  "prompts/get",
  "resources/list",
  "resources/read",
  "resources/templates/list",
  "completion/complete",
]);

interface Annotations {
  readonly readOnlyHint?: unknown;
  readonly idempotentHint?: unknown;
}

/**
 * Which calls may be sent twice: methods that change nothing, and tools that declare it (`readOnlyHint`,
 * `idempotentHint` of server/tools) or that the operator names. A tool whose description has not been read may not.
 */
export class Repeatable {
  readonly #named: ReadonlySet<string>;
  readonly #tool: (name: string) => ToolDescription | undefined;

  /** `tool` gives a tool of the last list that was read. */
  constructor(named: readonly string[], tool: (name: string) => ToolDescription | undefined) {
    this.#named = new Set(named);
    this.#tool = tool;
  }

  /** May the same call be sent again, to another instance too? */
  call(method: string, params: Params | undefined): boolean {
    if (method !== "tools/call") return idempotent.has(method);
    const name = params?.name as string;
    if (this.#named.has(name)) return true;
    const hints = this.#hints(name);
    return hints?.readOnlyHint === true || hints?.idempotentHint === true;
  }

  /** Does the call only read, so that it may be sent to two instances at once? */
  reads(method: string, params: Params | undefined): boolean {
    if (method !== "tools/call") return idempotent.has(method);
    return this.#hints(params?.name as string)?.readOnlyHint === true;
  }

  #hints(name: string): Annotations | undefined {
    return this.#tool(name)?.annotations as Annotations | undefined;
  }
}
