import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "@jest/globals";
import { WebSocketServer } from "ws";
import type { Server } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";

// A server that is still starting reads what the gateway has said meanwhile: `server/discover`, and `initialize` when that
// was met with silence. One of the stateless era answers the first and refuses the second, as the Python SDK does.
let gateway: TestGateway;
let close: () => void = () => {};
afterEach(async () => {
  await gateway.close();
  close();
  close = () => {};
});

/** Answers in the order of what it hears. The same text runs in a process of its own and here. */
const answerer = `(line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return undefined;
  const described = { serverInfo: { name: "slow", version: "1" }, capabilities: { tools: {} } };
  const results = {
    "server/discover": { resultType: "complete", supportedVersions: ["2026-07-28"], ...described },
    "tools/list": { resultType: "complete", tools: [{ name: "now", inputSchema: { type: "object" } }] },
    "tools/call": { resultType: "complete", content: [{ type: "text", text: JSON.stringify("here") }] },
  };
  const result = results[method];
  const error = { code: -32600, message: "connection is serving the 2026-07-28 protocol; initialize is not accepted" };
  return JSON.stringify({ jsonrpc: "2.0", id, ...(result === undefined ? { error } : { result }) });
}`;
const answer = new Function(`return ${answerer}`)() as (line: string) => string | undefined;
/** Longer than the gateway's patience with a question for the era, which is half of \`connectMs\`. */
const startMs = 1000;
const timeouts = { connectMs: 1800 };

const places: Readonly<Record<string, () => Promise<Partial<Server>>>> = {
  "a process": async () => {
    const program = `const answer = ${answerer};
      setTimeout(() => require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
        const said = answer(line);
        if (said !== undefined) console.log(said);
      }), ${startMs});`;
    return { process: { command: process.execPath, args: ["-e", program] } };
  },
  TCP: async () => {
    const server = createServer((socket) => {
      setTimeout(
        () =>
          createInterface({ input: socket }).on("line", (line) => {
            const said = answer(line);
            if (said !== undefined) socket.write(`${said}\n`);
          }),
        startMs,
      );
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    close = () => server.close();
    return { endpoints: [`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`] };
  },
  WebSocket: async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (socket) => {
      const started = new Promise((resolve) => setTimeout(resolve, startMs));
      socket.on("message", async (data) => {
        await started;
        const said = answer(String(data));
        if (said !== undefined) socket.send(said);
      });
    });
    await once(server, "listening");
    close = () => server.close();
    return { endpoints: [`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`] };
  },
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
