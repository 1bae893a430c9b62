import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { auditVerdict } from "../../scripts/audit-report.ts";

const root = join(import.meta.dirname, "../..");
// The real npm, asking a registry of this test.
const advisories = "/-/npm/v1/security/advisories/bulk";
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const registry = createServer((request, response) => answer(request, response));
let cache: string;
beforeEach(async () => {
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  cache = await mkdtemp(join(tmpdir(), "audit-"));
});
afterEach(async () => {
  registry.closeAllConnections();
  await new Promise((resolve) => registry.close(resolve));
  await rm(cache, { recursive: true, force: true });
});

const json = (response: ServerResponse, body: unknown) =>
  response.setHeader("content-type", "application/json").end(JSON.stringify(body));
const advisory = (severity: string) => ({
  ...{ id: 1, url: "https://advisories.example/1", title: "Canary advisory", severity, vulnerable_versions: "<999" },
  ...{ cwe: [], cvss: { score: 0, vectorString: null } },
});
/** A registry that knows one advisory, about a package that is shipped. */
const knowing = (severity?: string) => (request: IncomingMessage, response: ServerResponse) => {
  if (request.url === advisories)
    return json(response, severity === undefined ? {} : { typebox: [advisory(severity)] });
  const name = String(request.url).slice(1);
  const installed = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
  return json(response, { name, "dist-tags": {}, versions: { [installed.version]: installed } });
};

function audit(): Promise<{ code: number; out: string }> {
  const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
  const env = {
    ...process.env,
    npm_config_registry: url,
    npm_config_cache: cache,
    npm_config_fetch_retries: "0",
    npm_config_noproxy: "127.0.0.1",
  };
  const script = join(root, "scripts/audit.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [script], { env }, (error, out) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: out.trim() }),
    );
  });
}

test("without an advisory the gate is open", async () => {
  answer = knowing();
  const out = "advisories: nothing that must not be shipped\nno known vulnerability";
  expect(await audit()).toEqual({ code: 0, out });
}, 60_000);

test.each([
  ["critical", 1, "advisories: high or critical ones in what is shipped"],
  ["high", 1, "advisories: high or critical ones in what is shipped"],
  ["moderate", 0, "advisories: nothing that must not be shipped"],
])(
  "an advisory of severity %s",
  async (severity, code, head) => {
    answer = knowing(severity);
    const line = `typebox *: ${severity}: Canary advisory, https://advisories.example/1`;
    expect(await audit()).toEqual({ code, out: `${head}\n${line}` });
  },
  60_000,
);

test("a registry that offers no advisories is said to be none, and is no result", async () => {
  answer = (_request, response) => {
    response.writeHead(405).end();
  };
  const { code, out } = await audit();
  expect(code).toBe(0);
  expect(out).toMatch(/^advisories: the registry could not be asked, so nothing is known about vulnerabilities\n.*405/);
}, 60_000);

test.each(["", "no JSON", "{}", "null", '{"error":{"summary":"away"}}'])(
  "what is no report is no result: %j",
  (printed) => {
    expect(auditVerdict(printed).outcome).toBe("unknown");
  },
);
