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
