import { Sealer, type SealingKey } from "./sealer.ts";

/** Whose task it is, and where. */
export interface TaskClaims {
  readonly server: string;
  /** The tool that made it, by the server's own name: by its rules the task is judged. */
  readonly tool: string;
  /** Who called the tool. */
  readonly caller: string;
  /** The session in which it did, where nothing else tells callers apart; else empty. */
  readonly session: string;
  /** The server's own id. */
  readonly taskId: string;
}

export interface TaskIdsOptions {
  /** Callers without a name are told apart by their sessions. Not where gateways open sessions for others. */
  readonly bySession: boolean;
}

/** Longer ids are no ids of ours; what is sealed are names and one id of a server. */
const maxChars = 16 * 1024;

/**
 * Task ids towards clients: sealed with caller, server and tool, so that no store is needed, and any worker, replica or
 * restarted gateway knows whose task it is (2025-11-25, basic/utilities/tasks, "Task Isolation and Access Control").
 */
export class TaskIds {
  readonly bySession: boolean;
  readonly #sealer: Sealer;

  constructor(keys: readonly SealingKey[], { bySession }: TaskIdsOptions) {
    // A client meets the id of a task in several messages, and compares.
    this.#sealer = new Sealer("task id", keys, { stable: true });
    this.bySession = bySession;
  }

  seal({ server, tool, caller, session, taskId }: TaskClaims): string {
    return this.#sealer.seal(JSON.stringify([server, tool, caller, session, taskId]));
  }

  /** The claims; undefined for what was not sealed here, as everything that a client or a server made up. */
  open(text: unknown): TaskClaims | undefined {
    if (typeof text !== "string" || text.length > maxChars) return undefined;
    const plain = this.#sealer.open(text);
    if (plain === undefined) return undefined;
    const [server, tool, caller, session, taskId] = JSON.parse(plain) as [string, string, string, string, string];
    return { server, tool, caller, session, taskId };
  }
}
