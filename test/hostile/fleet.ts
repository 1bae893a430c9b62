import { join } from "node:path";
import type { ConfigFile, Server } from "../../runtime/config/schema/index.ts";
import type { Era } from "./faults.ts";
import type { Target } from "./plan.ts";

/** What one call may take, and the start of an instance before it, in milliseconds. */
export const requestMs = 1500;
export const connectMs = 3000;

const script = join(import.meta.dirname, "server/main.ts");

/** Faults must show what they do to a call: nothing is repeated, and nobody is left out for being bad. */
const plain: Partial<Server> = {
  type: "custom",
  timeouts: { connectMs, requestMs },
  retry: { attempts: 1 },
  circuitBreaker: { enabled: false },
  healthCheck: { enabled: false, outlier: { enabled: false } },
  scaling: { minInstances: 0, maxInstances: 4 },
};

/** Standard streams of that era, as `mcp-fleet host` and `servers.<name>.process` take them. */
export const stdioArgs = (era: Era): [file: string, ...args: string[]] => [script, "stdio", era];

/** The settings of a server behind a server host: `timeouts` there are longer, so that the gateway's own count. */
export const hostedSettings = JSON.stringify({ ...plain, isolation: "session", scaling: { maxInstances: 8 } });

/** A hostile server for each carrier and era, as the gateway has it. */
export interface HostileFleet {
  readonly targets: readonly Target[];
  readonly config: ConfigFile;
}

/** `ports` by carrier and era; `hosts` are URLs of server hosts by era; errors of the gateway go to `logFile`. */
export function hostileFleet(
  ports: Record<string, number>,
  hosts: Readonly<Record<Era, string>>,
  logFile: string,
): HostileFleet {
  const targets: Target[] = [];
  const servers: Record<string, Server> = {};
  const add = (target: Target, more: Partial<Server>) => {
    targets.push(target);
    servers[target.name] = { ...plain, ...more } as Server;
  };
  for (const era of ["session", "stateless"] as const) {
    const port = (carrier: string) => ports[`${carrier} ${era}`];
    const http = `http://127.0.0.1:${port("http")}/mcp`;
    add({ name: `http-${era}`, carrier: "http", era }, { endpoints: [http], isolation: "shared" });
    add({ name: `http-apart-${era}`, carrier: "http", era }, { endpoints: [http], isolation: "session" });
    add(
      { name: `tcp-${era}`, carrier: "tcp", era },
      { endpoints: [`tcp://127.0.0.1:${port("tcp")}`], isolation: "shared" },
    );
    add(
      { name: `ws-${era}`, carrier: "ws", era },
      { endpoints: [`ws://127.0.0.1:${port("ws")}/`], isolation: "shared" },
    );
    const process_ = { command: process.execPath, args: [...stdioArgs(era)] };
    add({ name: `stdio-${era}`, carrier: "stdio", era }, { process: process_, isolation: "shared" });
    add({ name: `stdio-apart-${era}`, carrier: "stdio", era }, { process: process_, isolation: "caller" });
    add({ name: `hosted-${era}`, carrier: "stdio", era }, { endpoints: [`${hosts[era]}/mcp`], isolation: "caller" });
  }
  const sse = [`http://127.0.0.1:${ports["sse session"]}/sse`];
  add({ name: "sse", carrier: "sse", era: "session" }, { endpoints: sse, protocol: "sse", isolation: "shared" });
  const bearerTokens = ["alice", "bob"].map((name) => ({ name, token: `token-of-${name}` }));
  return {
    targets,
    config: {
      gateway: {
        port: 0,
        drainMs: 1000,
        log: { level: "error", file: logFile },
        auth: { bearerTokens },
        session: { maxSessions: 500 },
      },
      servers,
    },
  };
}
