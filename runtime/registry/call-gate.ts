import { FleetError } from "../errors.ts";
import type { Params } from "../protocol/json-rpc.ts";
import { excerpt, relayedMethods } from "../protocol/methods.ts";
import { methodUnknown, subjectName } from "../security/subject.ts";
import type { ToolFilter } from "./tool-filter.ts";

/** Longest name and URI: far above what servers use, far below what fills a log or costs time to compare. */
const maxNameChars = 1024;
const maxUriChars = 8192;

/** What a fleet lets through, whichever way a call has come: known methods, parameters that read one way, tools that it shows. */
export class CallGate {
  readonly #tools: ToolFilter;
  readonly #methods: ReadonlySet<string>;

  /** `methods`: further ones, `servers.<name>.methods.allow`. */
  constructor(tools: ToolFilter, methods: readonly string[]) {
    this.#tools = tools;
    this.#methods = new Set(methods);
  }

  /**
   * Throws METHOD_NOT_FOUND, or INVALID_PARAMS for parameters that could be read in two ways and for a tool that is not
   * shown. `tool`: the one that made the task which the call is about.
   */
  check(method: string, params: Params | undefined, tool?: string): void {
    const kind = relayedMethods.get(method);
    if (kind === undefined) this.checkMethod(method);
    if (kind === undefined || kind === "server") return;
    const name = subjectName(kind, params, tool);
    if (name.length > maxNameChars) checkLength(name, kind === "resources" || kind === "completion");
    if ((kind === "tools" || kind === "tasks") && !this.#tools.permits(name))
      throw new FleetError("INVALID_PARAMS", `Unknown tool: ${excerpt(name)}`);
  }

  /** Throws METHOD_NOT_FOUND. */
  checkMethod(method: string): void {
    if (!relayedMethods.has(method) && !this.#methods.has(method)) throw methodUnknown(method);
  }
}

function checkLength({ length }: string, uri: boolean): void {
  const most = uri ? maxUriChars : maxNameChars;
  if (length > most)
    throw new FleetError(
      "INVALID_PARAMS",
      `Invalid params: the ${uri ? "URI" : "name"} is longer than ${most} characters`,
    );
}
