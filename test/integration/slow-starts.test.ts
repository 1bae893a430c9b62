import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";
import { Listening } from "../support/listening.ts";

// A server that is still starting reads what the gateway has said meanwhile: `server/discover`, and `initialize` when that
// was met with silence. One of the stateless era answers the first and refuses the second.
const fixture = join(import.meta.dirname, "../fixtures/slow-server.mjs");
/** Longer than the gateway's patience with a question for the era, which is half of `connectMs`. */
const env = { START_MS: "1000" };
const timeouts = { connectMs: 1800 };

let gateway: TestGateway;
let listening: Listening | undefined;
afterEach(async () => {
  await gateway.close();
  await listening?.stop();
  listening = undefined;
});

async function listen(way: "tcp" | "ws"): Promise<Partial<Server>> {
  listening = await Listening.start(fixture, env, [way]);
  return { endpoints: [`${way}://127.0.0.1:${listening.port}`] };
}
const places: Readonly<Record<string, () => Promise<Partial<Server>>>> = {
  "a process": async () => ({ process: { command: process.execPath, args: [fixture], env } }),
  TCP: () => listen("tcp"),
  WebSocket: () => listen("ws"),
};

test.each(Object.keys(places))(
  "a server of the stateless era that starts slowly is used as what it is, over %s",
  async (place) => {
    const server = (await places[place]?.()) as Partial<Server>;
    gateway = await TestGateway.start({
      servers: { slow: { type: "custom", isolation: "shared", timeouts, ...server } },
    });
    const client = await gateway.connect("/mcp/slow");
    expect(await say(client, "now")).toBe("here");
    expect(gateway.gateway.status().servers[0]?.restarts).toBe(0);
  },
);
