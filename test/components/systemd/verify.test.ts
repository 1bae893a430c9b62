import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { testWith } from "../../support/needs.ts";
import { everyUnit } from "./workloads.ts";

const test = testWith("systemd-analyze and systemd-socket-activate");
/** What `systemd-analyze security` may find at most, in tenths: the network, and a JIT compiler's memory, are what a service needs. */
const threshold = "15";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "units-test-"));
  for (const [name, text] of Object.entries(everyUnit())) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const names = () => Object.keys(everyUnit()).filter((name) => !name.includes("/"));

/** What systemd-analyze says of a unit with its drop-ins; throws when it exits with another code than 0. */
const analyze = (verb: string, unit: string, ...options: string[]) =>
  execFileSync("systemd-analyze", [verb, "--man=no", ...options, join(folder, unit)], {
    encoding: "utf8",
    stdio: "pipe",
  });

test("systemd finds every unit right", () => {
  expect(names()).toHaveLength(6);
  for (const name of names()) expect(analyze("verify", name)).toBe("");
});

test("a mistake in a drop-in would be found", () => {
  const file = join(folder, "shop-test-gateway-front.service.d/60-wrong.conf");
  writeFileSync(file, "[Service]\nExecStart=/nowhere/mcp-fleet\n");
  expect(() => analyze("verify", "shop-test-gateway-front.service")).toThrow();
  rmSync(file);
});

test("the exposure of every service is at most 1.5 of 10", () => {
  for (const name of names().filter((one) => one.endsWith(".service"))) {
    const said = analyze("security", name, "--offline=yes", `--threshold=${threshold}`, "--no-pager");
    expect(said).toMatch(/Overall exposure level for \S+: 1\.[0-5] OK/);
  }
});
