import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { openSse } from "../../../runtime/upstreams/sse-link.ts";

let server: Server;
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

/** Starts a server that answers each message with `take`, and opens a link to it. */
async function open(take: (response: ServerResponse, stream: ServerResponse) => void) {
  const sockets = new Set<Socket>();
  let stream: ServerResponse;
  server = createServer((request, response) => {
    if (request.method === "GET") {
      stream = response.writeHead(200, { "content-type": "text/event-stream" });
      stream.write("event: endpoint\ndata: /messages\n\n");
    } else request.resume().on("end", () => take(response, stream));
  });
  server.keepAliveTimeout = 0;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`);
  return { link: await openSse(url, 5000, () => {}), sockets };
}

test.each<[string, (response: ServerResponse, stream: ServerResponse) => void, RegExp]>([
  ["refuses a message", (response) => response.writeHead(404).end(), /^the server answered HTTP 404$/],
  ["breaks a message off", (response) => response.socket?.resetAndDestroy(), /ECONNRESET|other side closed|terminated/],
  [
    "breaks its stream off",
    (response, stream) => {
      response.writeHead(202).end();
      stream.socket?.resetAndDestroy();
    },
    /ECONNRESET|aborted|terminated|ended/,
  ],
  [
    "ends its stream",
    (response, stream) => {
      response.writeHead(202).end();
      stream.end();
    },
    /^the event stream has ended$/,
  ],
])(
  "when a server over HTTP+SSE %s, no connection to it stays open",
  async (_what, take, reason) => {
    const { link, sockets } = await open(take);
    link.send("{}");
    expect(await link.ended).toMatch(reason);
    const left = [...sockets];
    await Promise.all(left.map((socket) => socket.destroyed || once(socket, "close")));
    expect(sockets.size).toBe(0);
  },
  3500,
);

test("a redirect whose text does not end is followed at once", async () => {
  server = createServer((request, response) => {
    if (request.url === "/sse") response.writeHead(307, { location: "/events" }).write("moved");
    else if (request.method === "GET")
      response.writeHead(200, { "content-type": "text/event-stream" }).write("event: endpoint\ndata: /messages\n\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`);
  const link = await openSse(url, 5000, () => {});
  await link.close();
  expect(await link.ended).toBe("closed");
}, 4000);

test("many small messages that the server does not take count with the memory that they need", async () => {
  const { link } = await open(() => {});
  for (let count = 0; count < 1000; count += 1) link.send("{}");
  expect(link.waiting).toBe(1000 * (2 + 2048));
  await link.close();
});
