import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readBody } from "../../../runtime/listeners/body.ts";
import { IncomingRequest } from "../../../runtime/listeners/incoming-request.ts";

// A real server and raw sockets: how the parts of a body come is what matters.
let server: Server;
let read: (request: IncomingMessage) => Promise<string>;
let outcomes: (string | Error)[];

beforeEach(async () => {
  outcomes = [];
  read = async (request) => readBody(request, 10);
  server = createServer({ IncomingMessage: IncomingRequest }, async (request, response) => {
    const outcome = await read(request).catch((error: Error) => error);
    outcomes.push(outcome);
    response.end(typeof outcome === "string" ? `<${outcome}>` : `!${outcome.message.split(";")[0]}!`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const open = () => connect((server.address() as AddressInfo).port, "127.0.0.1");
const head = (length: number | undefined, more = "") =>
  `POST / HTTP/1.1\r\nhost: x\r\n${more}${length === undefined ? "transfer-encoding: chunked" : `content-length: ${length}`}\r\n\r\n`;
const last = "connection: close\r\n";
const bodies = (said: string) => said.match(/<[^>]*>|![^!]*!/g);

test.each([
  ["one part", [`${head(5, last)}hello`], ["<hello>"]],
  ["several parts", [`${head(5, last)}he`, "l", "lo"], ["<hello>"]],
  ["no part", [head(0, last)], ["<>"]],
  ["chunks", [`${head(undefined, last)}2\r\nhe\r\n`, "3\r\nllo\r\n0\r\n\r\n"], ["<hello>"]],
  ["requests one behind the other", [`${head(1)}a${head(1)}b`, `${head(1, last)}c`], ["<a>", "<b>", "<c>"]],
  ["as much as may be", [`${head(10, last)}0123456789`], ["<0123456789>"]],
  ["more than may be", [`${head(11)}01234`, `567890${head(1, last)}a`], ["!the body exceeds 10 bytes!", "<a>"]],
  ["no UTF-8", [Buffer.concat([Buffer.from(head(1, last)), Buffer.of(0xff)])], ["!the body is not UTF-8!"]],
])("reads %s", async (_name, parts, expected) => {
  const socket = open();
  for (const part of parts) {
    socket.write(part);
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  }
  expect(bodies(await text(socket))).toEqual(expected);
});

test("a body of which parts have come before somebody asks is read too", async () => {
  read = async (request) => {
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    return readBody(request, 10);
  };
  const socket = open();
  socket.write(`${head(5)}hello${head(1, last)}a`);
  expect(bodies(await text(socket))).toEqual(["<hello>", "<a>"]);
});

test("a client that goes away in the middle is told of, once", async () => {
  const socket = open();
  socket.write(`${head(5)}he`);
  await once(server, "request");
  socket.destroy();
  while (outcomes.length === 0) await setImmediate();
  expect(outcomes).toEqual([expect.objectContaining({ code: "ECONNRESET" })]);
});

test("a body that nobody asks for does not hold up the next request", async () => {
  read = async () => "unread";
  const socket = open();
  socket.write(`${head(5)}hello${head(1, last)}a`);
  expect(bodies(await text(socket))).toEqual(["<unread>", "<unread>"]);
});
