import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import pino from "pino";
import type { SystemdUnitsInputs, SystemdUnitsOutputs } from "../../../../runtime/config/schema/index.ts";
import { PackageCache } from "../../../../runtime/orchestrator/package-cache.ts";
import { ServiceManager } from "../../../../runtime/orchestrator/systemd/service-manager.ts";
import { UnitsResource } from "../../../../runtime/orchestrator/systemd/units-resource.ts";

let folder: string;
let asked: string[];
let active: Set<string>;
/** A unit whose start fails while its drop-in says so. */
let broken: ((unit: string) => boolean) | undefined;
let booted: boolean;
let resource: UnitsResource;

// What the real systemd does with these verbs is seen in test/engines/systemd-stack.
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "units-resource-"));
  [asked, active, broken, booted] = [[], new Set(), undefined, true];
  const manager = new ServiceManager(
    async (command, args) => {
      const [verb, ...rest] = args.filter((arg) => !arg.startsWith("--quiet"));
      const unit = rest.at(-1) as string;
      if (command === "journalctl") return { code: 0, out: "first line\nlast line\n", err: "" };
      if (verb === "is-active") return { code: active.has(unit) ? 0 : 3, out: "", err: "" };
      asked.push([verb, ...rest].join(" "));
      if (verb === "restart" && broken?.(unit)) {
        active.delete(unit);
        return { code: 1, out: "", err: "Job failed" };
      }
      if (verb === "restart") active.add(unit);
      if (verb === "stop") active.delete(unit);
      return { code: 0, out: "", err: "" };
    },
    () => booted,
  );
  resource = new UnitsResource(manager, new PackageCache({ log: pino({ level: "silent" }), folder }));
});
afterEach(() => rmSync(folder, { recursive: true }));

const fleet = (over: Partial<SystemdUnitsInputs> = {}): SystemdUnitsInputs => ({
  unitDirectory: join(folder, "units"),
  units: { "notes@.service": "template\n", "notes@.service.d/50-stack.conf": "first\n" },
  folder: join(folder, "own"),
  files: { key: "secret" },
  tokens: ["token"],
  instances: ["notes@1.service", "notes@2.service"],
  addresses: {},
  programs: ["/opt/node"],
  source: "notes --all",
  ...over,
});
const gateway = (): SystemdUnitsInputs =>
  fleet({
    units: { "gate.socket": "socket\n", "gate.socket.d/50-stack.conf": "8080\n", "gate.service": "service\n" },
    ...{ tokens: [], instances: ["gate.socket", "gate.service"] },
  });

async function made(inputs: SystemdUnitsInputs): Promise<SystemdUnitsOutputs> {
  const answer = await resource.create(inputs, () => {});
  asked = [];
  return (answer as { outs: SystemdUnitsOutputs }).outs;
}
const update = (inputs: SystemdUnitsInputs, olds: SystemdUnitsOutputs) => resource.update(inputs, olds, () => {});
const unit = (name: string) => readFileSync(join(folder, "units", name), "utf8");

test("units are written, then started one after the other; what they read is the owner's alone", async () => {
  const answer = await resource.create(fleet(), () => {});
  expect(answer).toEqual({ ok: true, id: join(folder, "own"), outs: { ...fleet(), status: "running" } });
  expect(asked).toEqual([
    "daemon-reload",
    ...["enable notes@1.service", "restart notes@1.service"],
    ...["enable notes@2.service", "restart notes@2.service"],
  ]);
  expect(unit("notes@.service.d/50-stack.conf")).toBe("first\n");
  expect(statSync(join(folder, "units/notes@.service")).mode & 0o777).toBe(0o644);
  expect(statSync(join(folder, "own")).mode & 0o777).toBe(0o700);
  for (const name of ["key", "token"]) expect(statSync(join(folder, "own", name)).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, "own/token"), "utf8")).toMatch(/^[-_A-Za-z0-9]{43}$/);
});

describe("an update", () => {
  test("leaves alone what has not changed, and starts what was added", async () => {
    const outs = await made(fleet());
    const token = readFileSync(join(folder, "own/token"), "utf8");
    await update(fleet({ instances: [...outs.instances, "notes@3.service"] }), outs);
    expect(asked).toEqual(["daemon-reload", "enable notes@3.service", "restart notes@3.service"]);
    expect(readFileSync(join(folder, "own/token"), "utf8")).toBe(token);
  });

  test("of a drop-in, or of a secret, starts the instances anew; one that is gone ends", async () => {
    const outs = await made(fleet());
    const units = { ...fleet().units, "notes@.service.d/50-stack.conf": "second\n" };
    await update(fleet({ units, instances: ["notes@1.service"] }), outs);
    expect(asked).toEqual([
      "daemon-reload",
      ...["enable notes@1.service", "restart notes@1.service"],
      ...["disable notes@2.service", "stop notes@2.service", "reset-failed notes@2.service"],
    ]);
    asked = [];
    const one = { units, instances: ["notes@1.service"] };
    await update(fleet({ ...one, files: { key: "new" } }), { ...outs, ...one });
    expect(asked).toEqual(["daemon-reload", "enable notes@1.service", "restart notes@1.service"]);
  });

  test("of a socket ends its service first; of a service leaves the socket open", async () => {
    const outs = await made(gateway());
    const moved = { ...gateway().units, "gate.socket.d/50-stack.conf": "9090\n" };
    await update({ ...gateway(), units: moved }, outs);
    expect(asked).toEqual([
      ...[
        "daemon-reload",
        "enable gate.socket",
        "stop gate.service",
        "reset-failed gate.service",
        "restart gate.socket",
      ],
      ...["enable gate.service", "restart gate.service"],
    ]);
    asked = [];
    await update(
      { ...gateway(), units: { ...moved, "gate.service": "other\n" }, files: { key: "new" } },
      { ...outs, units: moved },
    );
    expect(asked).toEqual(["daemon-reload", "enable gate.service", "restart gate.service"]);
  });

  test("that does not start goes back, and the instances behind it are not touched", async () => {
    const outs = await made(fleet());
    broken = () => unit("notes@.service.d/50-stack.conf") === "wrong\n";
    const units = { ...fleet().units, "notes@.service.d/50-stack.conf": "wrong\n" };
    await expect(update(fleet({ units, files: { key: "wrong", more: "x" } }), outs)).rejects.toMatchObject({
      code: "INSTANCE_START_FAILED",
      message: "notes@1.service does not start: first line | last line; see journalctl --unit notes@1.service",
    });
    expect(asked).toEqual([
      ...["daemon-reload", "enable notes@1.service", "restart notes@1.service"],
      ...["daemon-reload", "restart notes@1.service"],
    ]);
    expect(unit("notes@.service.d/50-stack.conf")).toBe("first\n");
    expect(readFileSync(join(folder, "own/key"), "utf8")).toBe("secret");
    expect(existsSync(join(folder, "own/more"))).toBe(false);
    expect([...active]).toEqual(["notes@2.service", "notes@1.service"]);
  });

  test("of what has stopped starts it", async () => {
    const outs = await made(fleet());
    active.delete("notes@2.service");
    await update(fleet(), { ...outs, status: "stopped" });
    expect(asked).toEqual(["daemon-reload", "enable notes@2.service", "restart notes@2.service"]);
  });
});

test("a first start that fails leaves nothing", async () => {
  broken = () => true;
  await expect(resource.create(fleet(), () => {})).rejects.toThrow("notes@1.service does not start");
  expect(existsSync(join(folder, "units/notes@.service"))).toBe(false);
  expect(existsSync(join(folder, "units/notes@.service.d"))).toBe(false);
  expect(existsSync(join(folder, "own"))).toBe(false);
});

test("a server that does not tell the manager is waited for at its port", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
  const one = { instances: ["notes@1.service"], addresses: { "notes@1.service": `127.0.0.1:${port}` } };
  let accepted = 0;
  server.on("connection", () => {
    accepted += 1;
  });
  await made(fleet(one));
  await new Promise((resolve) => server.close(resolve));
  expect(accepted).toBe(1);
});

test("what has changed on the machine is found, and others' drop-ins are left alone", async () => {
  const outs = await made(fleet());
  expect(await resource.diff(fleet(), outs)).toEqual({ ok: true, changes: false, replaces: [] });
  writeFileSync(join(folder, "units/notes@.service.d/90-mine.conf"), "mine\n");
  expect(await resource.diff(fleet(), outs)).toEqual({ ok: true, changes: false, replaces: [] });
  writeFileSync(join(folder, "units/notes@.service.d/50-stack.conf"), "other\n");
  expect(await resource.diff(fleet(), outs)).toEqual({ ok: true, changes: true, replaces: [] });
  const read = await resource.read(outs);
  expect(read).toMatchObject({ outs: { status: "running", units: { "notes@.service.d/50-stack.conf": "other\n" } } });
  active.delete("notes@1.service");
  expect(await resource.read(outs)).toMatchObject({ outs: { status: "stopped" } });
  expect(await resource.diff(fleet({ folder: join(folder, "else") }), outs)).toMatchObject({ replaces: ["folder"] });
});

test("an end is the reverse, and forgets what services have kept", async () => {
  const outs = await made(gateway());
  writeFileSync(join(folder, "units/gate.socket.d/90-mine.conf"), "mine\n");
  expect(await resource.delete(outs)).toEqual({ ok: true });
  expect(asked).toEqual([
    ...["disable gate.service", "stop gate.service", "reset-failed gate.service"],
    ...["disable gate.socket", "stop gate.socket", "reset-failed gate.socket"],
    ...["clean --what=state gate.service", "daemon-reload"],
  ]);
  expect(existsSync(join(folder, "own"))).toBe(false);
  expect(unit("gate.socket.d/90-mine.conf")).toBe("mine\n");
  expect(await resource.read(outs)).toEqual({ ok: true });
});

test("what is wrong is said at preview: no systemd, no right to write, a program that services do not see", async () => {
  expect(await resource.check(fleet())).toEqual({ ok: true, failures: [] });
  booted = false;
  const inputs = fleet({ unitDirectory: "/proc/units", programs: ["/root/node", "/home/ada/mcp-fleet"] });
  expect(await resource.check(inputs)).toEqual({
    ok: true,
    failures: [
      {
        property: "units",
        reason: "systemd is not this machine's service manager; set platform to process, or deploy where it is",
      },
      {
        property: "unitDirectory",
        reason:
          "/proc/units cannot be written to; run pulumi as root, or choose another folder (systemd.unitDirectory)",
      },
      ...["/root/node", "/home/ada/mcp-fleet"].map((path) => ({
        property: "units",
        reason: `${path} is in a folder that services do not see; install mcp-fleet and its Node.js elsewhere, such as in /opt, or name another one in systemd.program`,
      })),
    ],
  });
});
