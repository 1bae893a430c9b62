import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import pino from "pino";
import { PackageCache } from "../../../../runtime/orchestrator/package-cache.ts";
import { FleetResource } from "../../../../runtime/orchestrator/process-platform/fleet-resource.ts";

test("a preview finds what the machine lacks to confine a server", async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), "fleet-resource-test-"));
  const path = process.env.PATH;
  process.env.PATH = stateDirectory;
  try {
    const resource = new FleetResource(new PackageCache({ log: pino({ level: "silent" }) }), "main.js");
    const check = (more: object) =>
      resource.check({
        ...{ name: "notes", stateDirectory },
        server: { type: "custom", process: { command: process.execPath }, ...more },
      });
    expect(await check({})).toEqual({ ok: true, failures: [] });
    expect(await check({ sandbox: {}, limits: { openFiles: 64 } })).toEqual({
      ok: true,
      failures: [
        {
          property: "server",
          reason:
            "servers.notes.sandbox: bubblewrap (bwrap) is not on PATH; install bubblewrap on this machine (Linux), or remove it",
        },
        {
          property: "server",
          reason:
            "servers.notes.limits.openFiles: is 64, but prlimit is not on PATH; install util-linux where the server runs, or remove it",
        },
      ],
    });
  } finally {
    process.env.PATH = path;
    await rm(stateDirectory, { recursive: true });
  }
});

test("what a deployment keeps of a fleet besides its inputs holds no argument and no key of an address", async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), "fleet-resource-test-"));
  const resource = new FleetResource(new PackageCache({ log: pino({ level: "silent" }) }), "main.js");
  const server = {
    process: { type: "custom" as const, process: { command: "node", args: ["server.js", "--token", "canary-arg"] } },
    endpoints: { type: "custom" as const, endpoints: ["http://127.0.0.1:9/s/canary-path/mcp?key=canary-query"] },
  };
  try {
    const sources = [];
    for (const [name, one] of Object.entries(server)) {
      const inputs = { name, stateDirectory, server: one };
      const made = await resource.create(inputs, () => {});
      const outs = (made as { outs: { source: string } & typeof inputs }).outs;
      sources.push(outs.source);
      expect((await resource.diff(inputs, outs)) as object).toMatchObject({ changes: false });
      // What an earlier version has left in the state goes with the next update.
      expect(await resource.diff(inputs, { ...outs, source: "node server.js --token canary-arg" })).toMatchObject({
        changes: true,
      });
    }
    expect(sources).toEqual(["node server.js …", "http://127.0.0.1:9/…/…/mcp"]);
  } finally {
    await rm(stateDirectory, { recursive: true });
  }
});
