import { expect, test } from "@jest/globals";
import { pino } from "pino";
import type { Fleet, FleetOptions } from "../../../runtime/registry/fleet.ts";
import { FleetRegistry } from "../../../runtime/registry/fleet-registry.ts";

type Server = FleetOptions["server"];
const server = (name: string, version = "1") => ({ name, version }) as Server;

/** A registry whose fleets serve at once, but for those of version "bad", which cannot be made. */
function registry() {
  const changes: string[] = [];
  const create = (of: Server) => {
    if (of.version === "bad") throw new Error(`${of.name} cannot be made`);
    return {
      name: of.name,
      server: of,
      generations: { elders: [] },
      status: () => ({ health: "ready" }),
      close: async () => {},
    } as unknown as Fleet;
  };
  const it = new FleetRegistry({
    create,
    onListChanged: () => {},
    onChange: (name, outcome) => changes.push(`${name} ${outcome}`),
    drainMs: 0,
    sessionDrainMs: 0,
    log: pino({ level: "silent" }),
  });
  return { it, changes, names: () => it.all().map(({ name, server: { version } }) => `${name} ${version}`) };
}

test("a changed server whose fleet cannot be made is refused, and the one before it stays", async () => {
  const { it, changes, names } = registry();
  await it.apply([server("a"), server("b")]);
  expect(await it.apply([server("a", "bad"), server("b")])).toEqual([{ server: "a", reason: "a cannot be made" }]);
  expect([names(), changes, it.get("a")?.refused]).toEqual([["a 1", "b 1"], ["a refused"], "a cannot be made"]);
  expect(await it.apply([server("a"), server("b")])).toEqual([]);
  expect(it.get("a")?.refused).toBeUndefined();
});

test("a configuration with a new server that cannot be made changes nothing", async () => {
  const { it, names } = registry();
  await it.apply([server("a"), server("b")]);
  expect(() => it.apply([server("a"), server("c"), server("d", "bad")])).toThrow("d cannot be made");
  expect(names()).toEqual(["a 1", "b 1"]);
});
