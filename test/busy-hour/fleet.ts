import { join } from "node:path";
import type { ConfigFile, Server } from "../../runtime/config/schema/index.ts";
import { type KnownCall, RealServers } from "../clients/real-servers.ts";
import { Listening } from "../support/listening.ts";

/** Callers that the gateway knows, each with a token of its own. */
export const callerCount = 100;
export const tokenOf = (caller: number): string => `token-of-caller-${caller}`;

/** A server as a visitor uses it. */
export interface Place {
  readonly name: string;
  /** What it is asked, with the answer where it is known to the letter. */
  readonly known: Pick<KnownCall, "tool" | "arguments"> & { readonly answer?: string };
  /** Each session or caller has an instance of its own: visitors take turns, so that there is one for each of them. */
  readonly leased: boolean;
  /** The tools that it has besides. */
  readonly blocks?: true;
  readonly progresses?: true;
  readonly asks?: true;
}

/** The servers of a run, and the gateway's configuration. */
export interface Fleet {
  readonly config: ConfigFile;
  readonly places: readonly Place[];
  close(): Promise<void>;
}

/** How the real servers of the matrix are shared here; the others are shared by all. */
const isolations: Readonly<Record<string, "session" | "caller">> = {
  everything: "session",
  fetch: "session",
  memory: "caller",
  git: "caller",
};

const working = (sdk: "fastmcp" | "mcp", more: Partial<Server>): Server => ({
  type: "custom",
  process: { command: process.env.MCP_PYTHON as string, args: [join(import.meta.dirname, "working.py"), sdk] },
  ...more,
});

/**
 * Ten servers as npm and PyPI have them, with every isolation. `turns` visitors at once have a session or a caller's instance
 * at each server that leases; there is no instance more.
 */
export async function startFleet(turns: number, idleMs: number, leaseIdleMs: number): Promise<Fleet> {
  const real = await RealServers.prepare();
  const remote = await Listening.start(join(import.meta.dirname, "../fixtures/everything.ts"), {}, ["streamableHttp"]);
  const scaling = { minInstances: 0, maxInstances: turns };
  const leased = { scaling, timeouts: { idleMs: leaseIdleMs } };
  const servers: Record<string, Server> = {
    remote: { type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${remote.port}/mcp`] },
    blocking: working("fastmcp", { isolation: "shared", scaling: { maxInstances: 1 } }),
    working: working("mcp", { isolation: "session", ...leased }),
  };
  const quick = { tool: "quick", arguments: {} };
  const places: Place[] = [
    {
      name: "remote",
      leased: false,
      progresses: true,
      known: { tool: "echo", arguments: { message: "hé" }, answer: "Echo: hé" },
    },
    { name: "blocking", leased: false, known: quick, blocks: true },
    { name: "working", leased: true, known: quick, blocks: true, progresses: true },
  ];
  for (const [name, { config, tool, arguments: args, answer }] of Object.entries(real.servers)) {
    const isolation = isolations[name];
    servers[name] = isolation === undefined ? config : { ...config, isolation, ...leased };
    const known = { tool, arguments: args, ...(name === "time" ? {} : { answer }) };
    places.push({ name, leased: isolation !== undefined, known, ...(name === "everything" ? { asks: true } : {}) });
  }
  const bearerTokens = Array.from({ length: callerCount }, (_, caller) => ({
    name: `caller-${caller}`,
    token: tokenOf(caller),
  }));
  return {
    config: { gateway: { port: 0, auth: { bearerTokens }, session: { idleTimeoutMs: idleMs } }, servers },
    places,
    async close() {
      real.close();
      await remote.stop();
    },
  };
}
