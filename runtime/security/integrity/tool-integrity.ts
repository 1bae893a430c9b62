import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "pino";
import type { Integrity } from "../../config/schema/index.ts";
import { FleetError } from "../../errors.ts";
import type { SecurityMetrics } from "../../observability/security-metrics.ts";
import type { ToolDescription } from "../../registry/catalog.ts";
import type { FleetCall, FleetStage } from "../../registry/fleet-call.ts";
import { definitionDigest, flawOf } from "./definition.ts";

export interface ToolIntegrityOptions {
  readonly server: string;
  readonly integrity: Integrity | undefined;
  /** Keeps what was approved over restarts; without it that lasts as long as the process. */
  readonly file: string | undefined;
  readonly metrics: SecurityMetrics;
  readonly log: Logger;
}

/** A tool that is not shown and not called. */
export interface HeldTool {
  readonly tool: string;
  /** `flaw`: unfit for everybody; `new` and `changed` wait for approval. */
  readonly why: "flaw" | "new" | "changed";
  readonly digest: string;
  readonly detail?: string;
}

const defaultMaxChars = 16_384;
/** Names of tools are a server's to choose; past this many, the one that was held first is forgotten. */
const maxHeldOwn = 1000;

/**
 * Looks at what a server says of its tools each time that it says so: a tool whose description changes after it was
 * trusted ("rug pull"), or that hides text from people, does not reach a model (tool poisoning).
 */
export class ToolIntegrity {
  readonly #options: ToolIntegrityOptions;
  readonly #mode: NonNullable<Integrity["mode"]>;
  /** Approved digests by tool. */
  #approved: Map<string, string>;
  #held: ReadonlyMap<string, HeldTool> = new Map();
  /** Those of lists that one owner's instance gave. */
  readonly #heldOwn = new Map<string, HeldTool>();

  constructor(options: ToolIntegrityOptions) {
    this.#options = options;
    this.#mode = options.integrity?.mode ?? "off";
    this.#approved = new Map(Object.entries(load(options.file)));
  }

  get held(): readonly HeldTool[] {
    return [...new Map([...this.#heldOwn, ...this.#held]).values()];
  }

  /** Of a list that was just read, the tools that may be shown. */
  screen(tools: readonly ToolDescription[]): readonly ToolDescription[] {
    const held = new Map<string, HeldTool>();
    let learnt = false;
    for (const tool of tools) {
      const detail = flawOf(tool, this.#options.integrity?.maxDescriptionChars ?? defaultMaxChars);
      // What is nested without end is not made a digest of.
      const digest = detail === undefined ? definitionDigest(tool) : "";
      if (detail !== undefined) held.set(tool.name, { tool: tool.name, why: "flaw", digest, detail });
      else if (this.#mode !== "off") {
        const expected = this.#options.integrity?.pins?.[tool.name] ?? this.#approved.get(tool.name);
        if (expected === undefined && this.#mode !== "approve") {
          this.#approved.set(tool.name, digest);
          learnt = true;
        } else if (expected !== digest) {
          held.set(tool.name, { tool: tool.name, why: expected === undefined ? "new" : "changed", digest });
        }
      }
    }
    for (const one of held.values()) this.#report(one);
    this.#held = held;
    if (learnt) this.#save();
    return held.size === 0 ? tools : tools.filter(({ name }) => !this.#holds(name));
  }

  /**
   * Of the list of an instance that one owner has to itself, the tools that may be shown. No pin is made of it: what one owner
   * brought about says nothing of what others are to see.
   */
  permitted(tools: readonly ToolDescription[]): readonly ToolDescription[] {
    return tools.filter((tool) => {
      const held = this.#judge(tool);
      if (held === undefined) this.#heldOwn.delete(tool.name);
      else this.#holdOwn(held);
      return !this.#holds(tool.name);
    });
  }

  /** Refuses calls of tools that are held; reads the list first, where a tool may have to be approved. */
  readonly stage: FleetStage = (next, fleet) => {
    const guarded: FleetCall = (client, method, params, exchange) => {
      const name = String(params?.name);
      if (this.#held.size + this.#heldOwn.size === 0 || !this.#holds(name))
        return next(client, method, params, exchange);
      const { why } = this.#heldAs(name) as HeldTool;
      const text = `Forbidden: the tool "${name}" of the server "${fleet.name}" is held back (${why})`;
      return Promise.reject(new FleetError("TOOL_HELD", text));
    };
    const informed: FleetCall = async (client, method, params, exchange) => {
      await fleet.catalog.list("tools");
      return guarded(client, method, params, exchange);
    };
    return (client, method, params, exchange) => {
      if (method !== "tools/call") return next(client, method, params, exchange);
      const unread = this.#mode !== "off" && fleet.catalog.toolCount === undefined;
      return (unread ? informed : guarded)(client, method, params, exchange);
    };
  };

  /** Takes a tool as it is now. Throws INVALID_PARAMS when nothing of that digest waits. */
  approve(tool: string, digest: string | undefined): HeldTool {
    const held = this.#heldAs(tool);
    if (held === undefined || held.why === "flaw" || (digest !== undefined && digest !== held.digest)) {
      throw new FleetError(
        "INVALID_PARAMS",
        `the tool "${tool}" does not wait for approval with this digest; list what waits first`,
      );
    }
    this.#approved.set(tool, held.digest);
    this.#save();
    this.#held = new Map([...this.#held].filter(([name]) => name !== tool));
    this.#heldOwn.delete(tool);
    this.#options.log.info({ tool, digest: held.digest }, "integrity: the tool was approved");
    return held;
  }

  /** `warn` holds nothing back but flaws. */
  #holds(name: string): boolean {
    const held = this.#heldAs(name);
    return held !== undefined && (held.why === "flaw" || this.#mode !== "warn");
  }

  #heldAs(name: string): HeldTool | undefined {
    return this.#held.get(name) ?? this.#heldOwn.get(name);
  }

  /** Why a tool is held; undefined when it is not, or when nothing of that name was seen before and that is enough. */
  #judge(tool: ToolDescription): HeldTool | undefined {
    const { integrity } = this.#options;
    const { name } = tool;
    const detail = flawOf(tool, integrity?.maxDescriptionChars ?? defaultMaxChars);
    if (detail !== undefined) return { tool: name, why: "flaw", digest: "", detail };
    if (this.#mode === "off") return undefined;
    const expected = integrity?.pins?.[name] ?? this.#approved.get(name);
    if (expected === undefined && this.#mode !== "approve") return undefined;
    const digest = definitionDigest(tool);
    return expected === digest ? undefined : { tool: name, why: expected === undefined ? "new" : "changed", digest };
  }

  #holdOwn(held: HeldTool): void {
    this.#report(held);
    this.#heldOwn.delete(held.tool);
    if (this.#heldOwn.size >= maxHeldOwn) this.#heldOwn.delete(this.#heldOwn.keys().next().value as string);
    this.#heldOwn.set(held.tool, held);
  }

  #report(held: HeldTool): void {
    const before = this.#heldAs(held.tool);
    if (before?.digest === held.digest && before.why === held.why) return;
    const { server, metrics, log } = this.#options;
    metrics.toolHeld(server, held.why);
    log.warn(
      held,
      this.#mode === "warn" && held.why !== "flaw"
        ? "integrity: a tool is not as it was"
        : "integrity: a tool is held back",
    );
  }

  #save(): void {
    const { file, log } = this.#options;
    if (file === undefined) return;
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(this.#approved), null, 2), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch (error) {
      log.error({ err: error }, "integrity: what is approved could not be written");
    }
  }
}

function load(file: string | undefined): Record<string, string> {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Not there yet.
    return {};
  }
}
