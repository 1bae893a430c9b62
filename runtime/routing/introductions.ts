import { orAfter } from "../or-after.ts";
import type { Fleet } from "../registry/fleet.ts";
import { excerpt } from "../secret-guard.ts";
import type { Access } from "../security/index.ts";

/** Characters of one server's instructions, and of those of all together: clients put them into each conversation. */
const maxOfServer = 4096;
const maxOfAll = 64 * 1024;
/** How long a client that opens a session waits for servers that are still starting. */
const waitMs = 5000;

/** What servers say to the clients of `/mcp`: the `instructions` of each one under its name. */
export class Introductions {
  /** Servers for which a client has waited in vain: they are heard when they are up, and nobody waits again. */
  readonly #silent = new WeakSet<Fleet>();
  readonly #waitMs: number;

  /** `bound` is how long servers are waited for, in milliseconds. */
  constructor(bound = waitMs) {
    this.#waitMs = bound;
  }

  /** `head`, and below it what the servers say that the caller may use, in the order of the servers' names. */
  async text(head: string, fleets: readonly Fleet[], access: Access): Promise<string> {
    const reached = fleets.filter((fleet) => access.reaches(fleet));
    await this.#wait(reached.filter((fleet) => fleet.description === undefined && !this.#silent.has(fleet)));
    let text = head;
    for (const { name, description } of reached) {
      const said: unknown = description?.instructions;
      if (typeof said !== "string" || said.trim() === "") continue;
      const section = `\n\n## ${name}\n\n${underHeading(cut(said.trim()))}`;
      if (text.length + section.length > maxOfAll) break;
      text += section;
    }
    return text;
  }

  /** What rests is not started for its words alone. */
  async #wait(unknown: readonly Fleet[]): Promise<void> {
    const starting = unknown.filter(({ server }) => server.scaling.minInstances > 0);
    if (starting.length === 0) return;
    const described = Promise.allSettled(starting.map((fleet) => fleet.describe()));
    await orAfter<unknown>(described, this.#waitMs, undefined);
    for (const fleet of starting) if (fleet.description === undefined) this.#silent.add(fleet);
  }
}

const cut = (text: string): string =>
  text.length > maxOfServer ? `${excerpt(text, maxOfServer - 1)}…` : excerpt(text, maxOfServer);

/** A server's own headings stay below its name, so that none can pass for another server. */
const underHeading = (text: string): string => text.replace(/^[ \t]*#{1,2}(?=[ \t])/gm, "###");
