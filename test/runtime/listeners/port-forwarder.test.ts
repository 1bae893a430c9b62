import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "@jest/globals";
import { PortForwarder } from "../../../runtime/listeners/port-forwarder.ts";

let servers: Server[] = [];
let forwarder: PortForwarder;
afterEach(async () => {
  await forwarder.close();
  for (const server of servers) server.close();
  servers = [];
});

/** A server at an address of this machine that says what it heard, once its client has said everything. */
async function echo(host: string, port = 0): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.end(`${host} heard ${await text(socket)}`);
  });
  servers.push(server);
  server.listen(port, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Keeps a port for a name with these addresses. */
async function keep(addresses: () => readonly string[], port: number, patienceMs?: number): Promise<number> {
  forwarder = new PortForwarder({
    ...{ host: "127.0.0.1", port: 0, to: { host: "gateway", port } },
    addresses: async () => addresses(),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  return forwarder.listen();
}

async function call(port: number): Promise<{ said: string; own: number | undefined }> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const own = socket.localPort;
  socket.end("hello");
  return { said: await text(socket), own };
}

test("a connection arrives with its client's address in front, in both directions to its end", async () => {
  const behind = await echo("127.0.0.1");
  const port = await keep(() => ["127.0.0.1"], behind);
  const { said, own } = await call(port);
  expect(said).toBe(`127.0.0.1 heard PROXY TCP4 127.0.0.1 127.0.0.1 ${own} ${port}\r\nhello`);
});

test("while one gateway takes over from another, connections go to the one that accepts them", async () => {
  const behind = await echo("127.0.0.2");
  const port = await keep(() => ["127.0.0.1", "127.0.0.2"], behind);
  const answers = await Promise.all(Array.from({ length: 10 }, () => call(port)));
  expect(answers.map(({ said }) => said.slice(0, 15))).toEqual(Array(10).fill("127.0.0.2 heard"));
});

test("connections go to one gateway until it accepts no more, though the other one is there", async () => {
  const behind = await echo("127.0.0.1");
  const [old] = servers as [Server];
  await echo("127.0.0.2", behind);
  let turn = 0;
  const port = await keep(() => {
    turn += 1;
    return turn % 2 === 0 ? ["127.0.0.2", "127.0.0.1"] : ["127.0.0.1", "127.0.0.2"];
  }, behind);
  const said: string[] = [];
  for (let times = 0; times < 4; times += 1) said.push((await call(port)).said.slice(0, 9));
  old.close();
  await once(old, "close");
  for (let times = 0; times < 2; times += 1) said.push((await call(port)).said.slice(0, 9));
  expect(said).toEqual([...Array(4).fill("127.0.0.1"), ...Array(2).fill("127.0.0.2")]);
});

test("a connection that nothing accepts waits for the gateway", async () => {
  const behind = await echo("127.0.0.3");
  let asked = 0;
  const port = await keep(() => {
    asked += 1;
    return asked < 3 ? [] : ["127.0.0.3"];
  }, behind);
  expect((await call(port)).said).toMatch(/^127\.0\.0\.3 heard PROXY /);
  expect(asked).toBe(3);
});

test("a connection that nothing accepts in time is cut, and a name that cannot be looked up is no crash", async () => {
  const port = await keep(
    () => {
      throw new Error("ENOTFOUND");
    },
    1,
    0,
  );
  const socket = connect(port, "127.0.0.1");
  await once(socket.resume(), "close");
  expect(socket.bytesRead).toBe(0);
});

test("a client that leaves takes the connection to the gateway along, and the other way round", async () => {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => accepted.resolve(socket.on("error", () => {}).resume()));
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = await keep(() => ["127.0.0.1"], (server.address() as AddressInfo).port);
  const client = connect(port, "127.0.0.1").on("error", () => {});
  const behind = await accepted.promise;
  client.resetAndDestroy();
  await once(behind, "close");
  expect(behind.destroyed).toBe(true);
});
