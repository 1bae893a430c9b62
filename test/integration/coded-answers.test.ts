import { brotliCompressSync, createGzip, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, expect, test } from "@jest/globals";
import { answerTo, connect, endOddServer, look, seen, startGateway, startHttp } from "../support/odd-server.ts";

// Servers that compress what nobody asked them to compress.
afterEach(endOddServer);

const codings = {
  gzip: gzipSync,
  "x-gzip": gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

test.each(Object.entries(codings))("an answer that comes in %s unasked is understood", async (coding, compress) => {
  const offered: unknown[] = [];
  const at = await startHttp((message, request, response) => {
    offered.push(request.headers["accept-encoding"]);
    if (message.id === undefined) return false;
    const headers = { "content-type": "application/json", "content-encoding": coding };
    response.writeHead(200, headers).end(compress(answerTo(message)));
    return true;
  });
  expect(await (await connect(`http://${at}/mcp`)).callTool(look)).toEqual(seen);
  expect(new Set(offered)).toEqual(new Set(["identity"]));
});

test("a large answer, and a stream of events of a type in capitals, come in gzip unasked and are understood", async () => {
  const large = { content: [{ type: "text", text: "x".repeat(1_000_000) }] };
  const progress = { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } };
  const heard: unknown[] = [];
  const at = await startHttp(({ id, method, params }, _request, response) => {
    if (method !== "tools/call") return false;
    const { progressToken } = (params?._meta ?? {}) as { progressToken?: unknown };
    if (progressToken === undefined) {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(gzipSync(JSON.stringify({ jsonrpc: "2.0", id, result: large })));
      return true;
    }
    response.writeHead(200, { "content-type": "Text/Event-Stream; Charset=UTF-8", "content-encoding": "GZIP" });
    const zip = createGzip();
    zip.pipe(response);
    zip.write(`data: ${JSON.stringify({ ...progress, params: { progressToken, progress: 1 } })}\n\n`);
    // The result comes when its progress has arrived.
    zip.flush(() => {
      finish = () => zip.end(`data: ${JSON.stringify({ jsonrpc: "2.0", id, result: seen })}\n\n`);
    });
    return true;
  });
  let finish: () => void = () => {};
  const client = await connect(`http://${at}/mcp`);
  expect(await client.callTool(look)).toEqual(large);
  const onprogress = ({ progress: reached }: { progress: number }) => {
    heard.push(reached);
    finish();
  };
  expect(await client.callTool(look, { onprogress })).toEqual(seen);
  expect(heard).toEqual([1]);
});

test.each([
  [
    "compress",
    Buffer.from("?"),
    'answered with Content-Encoding "compress", which nobody asked for; switch compression off there',
  ],
  ["gzip", Buffer.from("not gzip"), "cannot be read as gzip (incorrect header check)"],
])("an answer in %s that cannot be read is named", async (coding, body, problem) => {
  const at = await startHttp(({ method }, _request, response) => {
    if (method !== "tools/call") return false;
    response.writeHead(200, { "content-type": "application/json", "content-encoding": coding }).end(body);
    return true;
  });
  const client = await connect(`http://${at}/mcp`);
  expect(await client.callTool(look).catch((error: Error) => error.message)).toContain(problem);
  // The connection is nobody else's.
  expect((await client.listTools()).tools).toHaveLength(1);
});

test("an HTTP+SSE server whose stream comes in gzip unasked is understood", async () => {
  let zip = createGzip();
  const say = (event: string) => {
    zip.write(event);
    zip.flush();
  };
  const at = await startHttp((message, request, response) => {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "Text/Event-Stream", "content-encoding": "gzip" });
      zip = createGzip();
      zip.pipe(response);
      say("event: endpoint\ndata: /messages\n\n");
    } else {
      response.writeHead(202).end();
      if (message.id !== undefined) say(`data: ${answerTo(message)}\n\n`);
    }
    return true;
  });
  const gateway = await startGateway(`http://${at}/sse`, { protocol: "sse" });
  expect(await (await gateway.connect("/mcp/odd")).callTool(look)).toEqual(seen);
});
