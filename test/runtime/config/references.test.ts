import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resolveReferences } from "../../../runtime/config/references.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "references-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const secretsOf = async (servers: object, env: Record<string, string>) =>
  (await resolveReferences({ servers }, { file: join(folder, "fleet.yaml"), env })).secrets;

test("a value that came from a reference is a secret wherever it stands: argument, address, header name, working folder", async () => {
  const env = { MYKEY: "s3cr3tvalue123" };
  const places = [
    { process: { command: "node", args: ["--api-key", "${MYKEY}"] } },
    { endpoints: ["http://127.0.0.1:9/mcp?apiKey=${MYKEY}"] },
    { discovery: { static: [{ url: "ws://${MYKEY}.example.org" }] } },
    { healthCheck: { path: "/health?k=${MYKEY}" } },
    { process: { command: "node", env: { HARMLESS: "x ${MYKEY} y" } } },
  ];
  for (const place of places) expect(await secretsOf({ a: { type: "custom", ...place } }, env)).toEqual([env.MYKEY]);
});

test("a file that a reference names is a secret, and so is each line of a key", async () => {
  const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ\n-----END PRIVATE KEY-----";
  await writeFile(join(folder, "key.pem"), `${key}\n`);
  expect(await secretsOf({ a: { process: { args: ["file:key.pem"] } } }, {})).toEqual([key, "MC4CAQAwBQYDK2VwBCIEIJ"]);
});

test("the secret parts of an address, of an authorization and of a document are secrets on their own", async () => {
  const env = {
    ADDRESS: "https://mcp.example.org/s/path-key-0001/mcp?apiKey=query-key-0002",
    BEARER: "Bearer token-0000-0003",
    DOCUMENT: '{"type":"account","private":{"key":"document-key-0004"}}',
  };
  const found = await secretsOf({ a: { process: { args: ["${ADDRESS}", "${BEARER}", "${DOCUMENT}"] } } }, env);
  expect(found).toEqual([
    ...[env.ADDRESS, "path-key-0001", "?apiKey=query-key-0002", "query-key-0002"],
    ...[env.BEARER, "token-0000-0003", env.DOCUMENT, "document-key-0004"],
  ]);
});

test("ports, switches, host names, plain addresses, files and fallbacks do not turn the log into [redacted]", async () => {
  const env = { PORT: "8080", FLAG: "true", HOST: "mcp.example.org", IP: "192.168.100.200", FILE: process.execPath };
  const references = ["${PORT}", "${FLAG}", "${HOST}", "${IP}", "${FILE}", "${URL}", "${LEVEL:-information}"];
  const args = [...references, "http://${HOST}:${PORT}/mcp"];
  expect(await secretsOf({ a: { process: { args } } }, { ...env, URL: "http://mcp.example.org:8080/mcp" })).toEqual([]);
});

test("a short value is a secret where its variable's name or its key says so", async () => {
  const a = {
    process: { env: { API_KEY: "${SHORT}", MODE: "${OTHER}" } },
    credentials: { header: { value: "${TINY}" } },
  };
  expect(await secretsOf({ a }, { SHORT: "abc123", OTHER: "debug", TINY: "xyz" })).toEqual(["abc123", "xyz"]);
});
