import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";

/** `property gateway value {map[port:{8080}]} has a problem: port: …` */
const checkFailure = /resource '(.+?)': property \S+ value [\s\S]*? has a problem: ([\s\S]*)$/;
const colour = /<\{%[^%]*%\}>/g;

/** What an update or preview has said, gathered from the engine's events. */
export class EngineMessages {
  readonly #errors = new Set<string>();
  /** Does an error come from what the user wrote? */
  badInput = false;
  /** Resources by what happens to them: `create`, `update`, `same`, … */
  changes: Readonly<Record<string, number>> = {};
  /** The gateway's process that a refresh found dead. */
  diedPid: number | undefined;

  get errors(): readonly string[] {
    return [...this.#errors];
  }

  take(event: EngineEvent): void {
    const { diagnosticEvent: said, summaryEvent: summary, resOutputsEvent: done } = event;
    if (summary !== undefined) this.changes = summary.resourceChanges;
    if (said?.severity === "error") this.#error(plain(said.message));
    const old = done?.metadata.old?.outputs as { status?: string; pid?: number } | undefined;
    const now = done?.metadata.new?.outputs as { status?: string } | undefined;
    if (old?.status === "running" && now?.status === "stopped") this.diedPid = old.pid;
  }

  #error(text: string): void {
    const failure = checkFailure.exec(text);
    // What only says that something failed is said better by the thing that failed.
    if (/^(error: )?(update|preview|destroy|refresh|resource \S+) failed$/i.test(text)) return;
    if (failure !== null || /^(error: )?(MCP\w+ "|stacks\/)/.test(text)) this.badInput = true;
    const reason = text
      .replace(/^error: /, "")
      .replace(/^Preview failed: /, "")
      .replace(/^1 error occurred:\s+\* /, "");
    this.#errors.add(failure === null ? reason : `${failure[1]}: ${failure[2]}`);
  }
}

/** What an operation is at: a line that a provider or a resource has said while it works; undefined of other events. */
export function progressIn({ diagnosticEvent: said }: EngineEvent): string | undefined {
  if (said === undefined || said.severity === "error") return undefined;
  const text = plain(said.message);
  return text === "" ? undefined : text;
}

const plain = (message: string): string => message.replace(colour, "").trim();
