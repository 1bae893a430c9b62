import { beforeAll, describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { loopbackAddress } from "../../../components/systemd/names.ts";
import { MCPGateway, type MCPGatewayArgs, MCPServerFleet, type MCPServerFleetArgs } from "../../../index.ts";
import { type GraphNode, graphOf, triples } from "../../support/graph.ts";

const gatewayArgs: Omit<MCPGatewayArgs, "fleets"> = {
  platform: "systemd",
  auth: { bearerTokens: [{ name: "ada", token: "file:/run/secrets/mcp-fleet/ada" }] },
  secrets: { ada: "token-of-ada" },
};
const fleetArgs: MCPServerFleetArgs = {
  platform: "systemd",
  type: "custom",
  container: { command: "/srv/notes", args: ["--all"], secretEnv: { API_KEY: "hidden" }, memoryMiB: 256 },
  scaling: { minInstances: 2, maxInstances: 2 },
  tags: { team: "search" },
};
const clockArgs: MCPServerFleetArgs = {
  platform: "systemd",
  type: "custom",
  container: { command: "/srv/clock", port: 4000, path: "/", secretEnv: { KEY: 'a"b' } },
};
const cloud = { computed: () => ({ status: "running" }), answer: () => ({}) };

let graph: GraphNode[];
let gateway: MCPGateway;
let notes: MCPServerFleet;
let clock: MCPServerFleet;
const inputs = (name: string) => (graph.find((one) => one.name === name) as GraphNode).inputs;
const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));
const scope = () => `${pulumi.getProject()}-${pulumi.getStack()}`;

beforeAll(async () => {
  graph = await graphOf(
    () => {
      notes = new MCPServerFleet("notes", fleetArgs);
      clock = new MCPServerFleet("clock", clockArgs);
      const remote = new MCPServerFleet("remote", {
        ...{ platform: "systemd", type: "custom", endpoints: ["https://mcp.example.com/mcp"] },
      });
      gateway = new MCPGateway("gateway", { ...gatewayArgs, fleets: [notes, clock, remote] });
      return gateway;
    },
    [],
    cloud,
  );
});

test("types, names and parents, which states depend on", () => {
  expect(triples(graph)).toEqual([
    "mcp-fleet:index:MCPServerFleet clock < ",
    "pulumi-nodejs:dynamic/mcp-fleet:SystemdUnits clock-units < clock",
    "mcp-fleet:index:MCPGateway gateway < ",
    "pulumi-nodejs:dynamic/mcp-fleet:SystemdUnits gateway-units < gateway",
    "mcp-fleet:index:MCPServerFleet notes < ",
    "pulumi-nodejs:dynamic/mcp-fleet:SystemdUnits notes-units < notes",
    "mcp-fleet:index:MCPServerFleet remote < ",
  ]);
});

test("a gateway waits for its fleets", () => {
  const { dependsOn } = graph.find(({ name }) => name === "gateway-units") as GraphNode;
  expect(dependsOn).toEqual(["clock-units", "notes-units"]);
});

test("instances are named by their ports; units carry bounds and labels, and no secret", () => {
  const unit = `${scope()}-fleet-notes`;
  const { instances, tokens, folder, unitDirectory, addresses, units } = inputs("notes-units");
  expect({ instances, tokens, folder, unitDirectory, addresses }).toEqual({
    instances: [`${unit}@3001.service`, `${unit}@3002.service`],
    tokens: ["mcp-fleet.token"],
    folder: `/etc/mcp-fleet/${unit}`,
    unitDirectory: "/etc/systemd/system",
    addresses: {},
  });
  const text = (units as Record<string, string>)[`${unit}@.service.d/50-stack.conf`];
  expect(text).toMatch(/^MemoryMax=256M$/m);
  expect(text).toMatch(/^\[X-Tags\]\nteam=search$/m);
  expect(text).not.toContain("hidden");
});

test("a server of its own is waited for where it listens", () => {
  const unit = `${scope()}-fleet-clock`;
  const { instances, tokens, addresses, programs } = inputs("clock-units");
  expect({ instances, tokens, addresses, programs }).toEqual({
    instances: [`${unit}@4000.service`],
    tokens: [],
    addresses: { [`${unit}@4000.service`]: "127.0.0.1:4000" },
    programs: [],
  });
});

test("secrets are encrypted in the state, wherever they stand", () => {
  expect(inputs("notes-units").files).toEqual({ API_KEY: { secret: "hidden" } });
  expect(inputs("clock-units").files).toEqual({ environment: { secret: 'KEY="a\\"b"\n' } });
  expect(inputs("gateway-units").files).toMatchObject({ ada: { secret: "token-of-ada" } });
});

test("outputs", async () => {
  const address = loopbackAddress(`${scope()}-fleet-notes`);
  expect(await value(gateway.endpoint)).toBe("http://127.0.0.1:8080/mcp");
  expect(await value(gateway.status)).toBe("running");
  expect(await value(notes.internalEndpoint)).toBe(`http://${address}:3001/mcp`);
  expect(await value(notes.metricsTarget)).toBe(`http://${address}:3001/metrics`);
  expect(JSON.parse(await value(notes.configuration))).toEqual({
    ...{ type: "custom", protocol: "http" },
    credentials: {
      header: { scheme: "Bearer", value: `file:/etc/mcp-fleet/${scope()}-fleet-notes/mcp-fleet.token` },
    },
    endpoints: [`http://${address}:3001/mcp`, `http://${address}:3002/mcp`],
  });
  expect(await value(clock.metricsTarget)).toBe("");
  expect(JSON.parse(await value(clock.configuration))).toEqual({
    ...{ type: "custom", protocol: "http", endpoints: ["http://127.0.0.1:4000/"] },
  });
});

describe("what is wrong is refused, and nothing is made", () => {
  const fleet = (args: object) => () => new MCPServerFleet("notes", { ...fleetArgs, ...args });
  const container = fleetArgs.container;
  const front =
    (args: object, name = "gateway") =>
    () =>
      new MCPGateway(name, { ...gatewayArgs, fleets: [{ serverName: "notes", configuration: "{}" }], ...args });
  test.each([
    [
      fleet({ container: { ...container, image: "x" } }),
      'MCPServerFleet "notes": container.image is given, but platform "systemd" runs no images; remove it; services run mcp-fleet of this machine (systemd.program), or container.command',
    ],
    [fleet({ container: {} }), "has no source of instances; give container.command, container.port"],
    [fleet({ type: "magic" }), 'container.command stands beside the preset "magic"; remove it, or set type to custom'],
    [
      fleet({ container: { port: 1 } }),
      "container.command is missing beside container.port; give the program that listens at the port",
    ],
    [
      fleet({ container: { ...container, path: "/x" } }),
      "container.path is given, but the server host serves this server",
    ],
    [
      fleet({ container: { command: "/x", port: 1, healthPath: "/h" } }),
      "container.healthPath is given, but systemd does not look at health",
    ],
    [
      fleet({ scaling: { targetInFlight: 4 } }),
      "scaling.targetInFlight is given, but systemd has no autoscaler; remove it",
    ],
    [
      fleet({ scaling: { maxInstances: 3 } }),
      "scaling.maxInstances (3) is not minInstances (1), but systemd has no autoscaler; give both the number of services",
    ],
    [fleet({ scaling: { minInstances: pulumi.output(2) } }), "scaling.minInstances is known only later"],
    [fleet({ systemd: { egres: true } }), 'systemd.egres: is not a known key; did you mean "egress"?'],
    [fleet({ systemd: { unitDirectory: "units" } }), 'systemd.unitDirectory: is "units"'],
    [
      fleet({ systemd: { secretFiles: { API_KEY: "/k" } } }),
      "systemd.secretFiles stands beside container.secretEnv; keep one place that secrets come from",
    ],
    [
      fleet({ container: { command: "/x", port: 1 }, systemd: { secretFiles: { K: "/k" } } }),
      "systemd.secretFiles is given, but only the server host reads them",
    ],
    [
      fleet({ credentials: { header: { value: "file:/k" } } }),
      "credentials is given, but gateway and server host have a token of their own",
    ],
    [
      fleet({ tags: { "a b": "c" } }),
      'tags: "a b" is not a key of a unit file; use letters, digits, hyphens, dots and slashes',
    ],
    [fleet({ endpoints: ["http://x/mcp"] }), "container stands beside endpoints, which something else runs"],
    [front({ scaling: { minInstances: 2 } }), "scaling is given, but a machine has one gateway"],
    [front({ workers: "4" }), 'workers: is "4", but the service manager hands over one socket to one process'],
    [front({ secrets: undefined }), 'a reference names the secret "ada", which is not given'],
    [
      front({ secrets: { ada: "x", "mcp-fleet.ada": "y" } }),
      'secrets: "mcp-fleet.ada" begins with mcp-fleet., as the platform\'s own do; choose another name',
    ],
    [front({ port: 0 }), "port: is 0; give a number >= 1"],
    [
      front({ tls: { certFile: "/srv/cert", keyFile: "/srv/key" } }),
      'tls.certFile is "/srv/cert", which is not in the service',
    ],
    [front({}, "a b"), 'the name "a b" becomes that of a unit'],
    [
      front({ fleets: [{ serverName: "notes" }] }),
      "fleets[0].configuration is missing; pass the MCPServerFleet itself",
    ],
  ])("%#", async (program, message) => {
    const registered: GraphNode[] = [];
    await expect(graphOf(program, registered)).rejects.toThrow(message);
    expect(registered.filter(({ type }) => type.startsWith("pulumi-nodejs"))).toEqual([]);
  });
});
