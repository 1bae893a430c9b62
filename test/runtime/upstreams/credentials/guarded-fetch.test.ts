import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { GuardedFetch, type Lookup } from "../../../../runtime/upstreams/credentials/guarded-fetch.ts";

const refused = "a host was named that is nearer to the gateway than the configured ones";
const addresses: Record<string, string[]> = {
  "public.example": ["203.0.112.7"],
  "private.example": ["10.0.0.7"],
  "inside.example": ["127.0.0.1"],
  "mixed.example": ["203.0.112.9", "127.0.0.1"],
  localhost: ["127.0.0.1"],
};
const lookup: Lookup = async (name) => (addresses[name] ?? []).map((address) => ({ address, family: 4 }));
let inside: Server;
let port: number;
let hits: string[];

beforeAll(async () => {
  inside = createServer((request, response) => {
    hits.push(`${request.method} ${request.url}`);
    response.end("INTERNAL");
  });
  await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
  port = (inside.address() as AddressInfo).port;
});
afterAll(() => {
  inside.closeAllConnections();
  inside.close();
});
beforeEach(() => {
  hits = [];
});

const ask = (named: string[], url: string) =>
  new GuardedFetch(named, lookup).fetch(url).then(
    (response) => response.text(),
    (error) => String(error.cause?.message ?? error.message),
  );

test.each([
  ["public.example", "http://127.0.0.1:PORT/"],
  ["public.example", "http://[::ffff:127.0.0.1]:PORT/"],
  ["public.example", "http://2130706433:PORT/"],
  ["public.example", "http://localhost:PORT/"],
  ["public.example", "http://inside.example:PORT/"],
  ["public.example", "http://mixed.example:PORT/"],
  ["public.example", "http://10.0.0.7/"],
  ["public.example", "http://169.254.169.254/latest/meta-data/iam"],
  ["private.example", "http://inside.example:PORT/"],
  ["private.example", "http://169.254.169.254/latest/meta-data/iam"],
])("a server at %s cannot make the gateway ask %s", async (named, url) => {
  expect(await ask([named], url.replace("PORT", String(port)))).toBe(refused);
  expect(hits).toEqual([]);
});

test("a server on this machine may name others on it, and redirects are followed by nobody", async () => {
  expect(await ask(["localhost"], `http://inside.example:${port}/metadata`)).toBe("INTERNAL");
  expect(await ask(["public.example", "127.0.0.1"], `http://127.0.0.1:${port}/metadata`)).toBe("INTERNAL");
  expect(hits).toEqual(["GET /metadata", "GET /metadata"]);
});
