import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { Checkout, freePort } from "../support/checkout.ts";
import { testWith } from "../support/needs.ts";
import { commandLines, descendantsOf, environmentOf } from "../support/proc.ts";

// A real engine's state, and what `npm start` leaves on the machine, with words for secrets that must be in none of it.
const canary = { token: "canary-static-token-4901", server: "canary-server-secret-4902" };
const environment = { CANARY_TOKEN: canary.token, CANARY_SERVER: canary.server, PULUMI_CONFIG_PASSPHRASE: "" };
const found = (text: string) => Object.entries(canary).flatMap(([name, word]) => (text.includes(word) ? [name] : []));
let checkout: Checkout;
let port: number;

beforeAll(async () => {
  checkout = new Checkout({ modules: "shared" });
  port = await freePort();
  checkout.configure((config) => {
    const bearerTokens = [{ name: "ann", token: "${CANARY_TOKEN}" }];
    Object.assign(config["mcp-fleet:gateway"], { port, auth: { bearerTokens } });
    const args = [join(import.meta.dirname, "../fixtures/stateful-server.ts")];
    config["mcp-fleet:fleets"] = {
      notes: {
        type: "custom",
        process: { command: process.execPath, args, env: { NOTES_SECRET: "${CANARY_SERVER}" } },
      },
    };
  });
});
afterAll(() => checkout.close());

/** Every file below a folder, as text. */
function textsBelow(folder: string): string {
  const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  const files = paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  return files.map((path) => `${path}\n${readFileSync(path, "latin1")}`).join("\n");
}

testWith("a Pulumi engine")("no secret is in the engine's state, in what it says, or on a command line", async () => {
  const up = await checkout.run("npm start", environment);
  expect([up.code, up.code === 0 ? "" : up.err]).toEqual([0, ""]);
  try {
    const headers = { authorization: `Bearer ${canary.token}` };
    const servers = await fetch(`http://127.0.0.1:${port}/api/v1/servers`, { headers });
    expect(servers.status).toBe(200);
    const states = textsBelow(checkout.state);
    // The state is there, and says of both secrets where they come from.
    for (const reference of ["${CANARY_TOKEN}", "${CANARY_SERVER}"]) expect(states).toContain(reference);
    const { pid } = JSON.parse(readFileSync(join(checkout.state, "mcp-fleet@dev/gateway.pid"), "utf8"));
    const children = await descendantsOf(pid);
    const environments = await Promise.all(children.map(environmentOf));
    expect({
      ...{ said: found(up.out + up.err), states: found(states), lines: found((await commandLines()).join("\n")) },
      environments: environments.map(found),
    }).toEqual({ said: [], states: [], lines: [], environments: children.map(() => ["server"]) });
    expect(children.length).toBeGreaterThan(0);
  } finally {
    const down = await checkout.run("npm run stop", environment);
    expect([down.code, down.code === 0 ? "" : down.err]).toEqual([0, ""]);
  }
});
