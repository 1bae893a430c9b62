import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pino from "pino";
import type { BackendSpec } from "../../../../runtime/registry/backend.ts";
import { KubernetesDiscovery } from "../../../../runtime/registry/discovery/kubernetes.ts";

// Speaks the part of the Kubernetes API that the discovery uses, with objects as the real one gives them.
let api: Server;
let folder: string;
let discovery: KubernetesDiscovery | undefined;
let items: object[];
let asked: URL[];
let watches: ServerResponse[];
let status: number;

beforeEach(async () => {
  [items, asked, watches, status] = [[], [], [], 200];
  folder = await mkdtemp(join(tmpdir(), "credentials-"));
  for (const [name, text] of [
    ["token", "secret-1\n"],
    ["namespace", "apps"],
  ])
    await writeFile(join(folder, name as string), text as string);
  api = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url as string, "http://api");
    asked.push(url);
    if (status !== 200) return response.writeHead(status).end('{"message":"forbidden"}');
    if (!/^Bearer secret-\d$/.test(request.headers.authorization ?? "")) return response.writeHead(401).end();
    response.writeHead(200, { "content-type": "application/json" });
    if (url.searchParams.has("watch")) {
      watches.push(response);
      return response.flushHeaders();
    }
    return response.end(JSON.stringify({ items, metadata: { resourceVersion: "100" } }));
  });
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
});
afterEach(async () => {
  await discovery?.close();
  api.closeAllConnections();
  await new Promise((resolve) => api.close(resolve));
  await rm(folder, { recursive: true });
});

const slice = (
  name: string,
  version: string,
  endpoints: object[],
  ports: object[] = [{ name: "http", port: 8080 }],
) => ({
  ...{ metadata: { name, resourceVersion: version }, ports, endpoints },
});
const pod = (address: string, more: object = {}) => ({ addresses: [address], conditions: { ready: true }, ...more });

/** Waits until it is so, four seconds at most. */
async function until(so: () => boolean): Promise<void> {
  for (let tries = 0; !so() && tries < 800; tries += 1) await new Promise((resolve) => setTimeout(resolve, 5));
}

function look(options: { port?: string } = {}) {
  discovery = new KubernetesDiscovery({
    ...{ service: "echo", scheme: "http", log: pino({ level: "silent" }), credentials: folder, ...options },
    apiServer: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
  });
  const heard: (readonly BackendSpec[])[] = [];
  discovery.start((found) => void heard.push(found));
  return async () => {
    await until(() => heard.length > 0);
    return heard.shift();
  };
}
const tell = (type: string, object: object) => watches.at(-1)?.write(`${JSON.stringify({ type, object })}\n`);
const at = (host: string, port = 8080) => ({ address: `http://${host}:${port}/mcp` });

test("the ready pods of all slices, with their zones, and every change of them", async () => {
  items = [
    slice("echo-a", "90", [pod("10.1.0.1", { zone: "z1" }), pod("10.1.0.2", { conditions: { ready: false } })]),
    slice("echo-b", "95", [pod("fd00::7")]),
  ];
  const next = look();
  expect(await next()).toEqual([{ ...at("10.1.0.1"), zone: "z1" }, at("[fd00::7]")]);
  await until(() => watches.length > 0);
  expect(asked.map(({ pathname }) => pathname)).toEqual(
    Array(2).fill("/apis/discovery.k8s.io/v1/namespaces/apps/endpointslices"),
  );
  expect(asked[1]?.searchParams.get("labelSelector")).toBe("kubernetes.io/service-name=echo");
  tell("MODIFIED", slice("echo-a", "101", [pod("10.1.0.1", { zone: "z1" }), pod("10.1.0.2")]));
  expect(await next()).toEqual([{ ...at("10.1.0.1"), zone: "z1" }, at("10.1.0.2"), at("[fd00::7]")]);
  tell("DELETED", slice("echo-a", "102", []));
  expect(await next()).toEqual([at("[fd00::7]")]);
});

test("a watch that ends goes on from the last version, one that is too old begins with a new list; tokens are read anew", async () => {
  items = [slice("echo-a", "90", [pod("10.1.0.1")])];
  const next = look();
  await next();
  await until(() => watches.length > 0);
  tell("BOOKMARK", { metadata: { resourceVersion: "150" } });
  await writeFile(join(folder, "token"), "secret-2");
  watches[0]?.end();
  await until(() => watches.length > 1);
  expect(asked.at(-1)?.searchParams.get("resourceVersion")).toBe("150");
  items = [slice("echo-a", "200", [pod("10.1.0.9")])];
  tell("ERROR", { code: 410 });
  expect(await next()).toEqual([at("10.1.0.9")]);
});

test("a named port is looked for in each slice", async () => {
  const ports = [
    { name: "metrics", port: 9090 },
    { name: "mcp", port: 7000 },
  ];
  items = [slice("echo-a", "1", [pod("10.1.0.1")], ports), slice("echo-b", "1", [pod("10.1.0.2")])];
  expect(await look({ port: "mcp" })()).toEqual([at("10.1.0.1", 7000)]);
});

test("a refusal is tried again, and what was found stays", async () => {
  status = 403;
  const next = look();
  await until(() => asked.length > 0);
  items = [slice("echo-a", "1", [pod("10.1.0.1")])];
  status = 200;
  expect(await next()).toEqual([at("10.1.0.1")]);
});
