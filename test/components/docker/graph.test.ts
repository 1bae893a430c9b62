import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { MCPGateway, type MCPGatewayArgs, MCPServerFleet, type MCPServerFleetArgs } from "../../../index.ts";
import { type GraphNode, graphOf, triples } from "../../support/graph.ts";

const reference = "file:/run/secrets/mcp-fleet/ada";
const gatewayArgs: Omit<MCPGatewayArgs, "fleets"> = {
  platform: "docker",
  container: { image: "mcp-fleet:1" },
  auth: { bearerTokens: [{ name: "ada", token: reference }] },
  secrets: { ada: "token-of-ada" },
  docker: { build: { context: "/src" } },
};
const fleetArgs: MCPServerFleetArgs = {
  platform: "docker",
  type: "custom",
  container: { image: "mcp-fleet:1", command: "notes", secretEnv: { API_KEY: "hidden" } },
  scaling: { minInstances: 2, maxInstances: 2 },
  docker: { egress: true },
};

const cloud = {
  computed: (type: string): Record<string, unknown> => {
    if (type.includes("RemoteImage")) return { imageId: "sha256:1" };
    return type.includes("Network") ? { ipamConfigs: [{ subnet: "172.20.0.0/16" }] } : {};
  },
  answer: () => ({}),
};

let graph: GraphNode[];
let gateway: MCPGateway;
let notes: MCPServerFleet;
const node = (name: string) => graph.find((one) => one.name === name) as GraphNode;
const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

beforeAll(async () => {
  graph = await graphOf(
    () => {
      notes = new MCPServerFleet("notes", fleetArgs);
      const remote = new MCPServerFleet("remote", {
        ...{ platform: "docker", type: "custom", endpoints: ["https://mcp.example.com/mcp"] },
      });
      gateway = new MCPGateway("gateway", { ...gatewayArgs, fleets: [notes, remote] });
      return gateway;
    },
    [],
    cloud,
  );
});

test("types, names and parents, which states depend on", () => {
  expect(triples(graph)).toEqual([
    "mcp-fleet:index:MCPGateway gateway < ",
    "docker-build:index:Image gateway-build < gateway",
    "docker:index/container:Container gateway-container < gateway",
    "docker:index/container:Container gateway-container-files < gateway",
    "docker:index/container:Container gateway-front < gateway",
    "docker:index/network:Network gateway-front-network < gateway",
    "docker:index/remoteImage:RemoteImage gateway-image < gateway",
    "docker:index/network:Network gateway-network < gateway",
    "docker:index/volume:Volume gateway-state < gateway",
    "mcp-fleet:index:MCPServerFleet notes < ",
    "docker:index/container:Container notes-container-1 < notes",
    "docker:index/container:Container notes-container-1-files < notes",
    "docker:index/container:Container notes-container-2 < notes",
    "docker:index/container:Container notes-container-2-files < notes",
    "docker:index/network:Network notes-egress < notes",
    "docker:index/remoteImage:RemoteImage notes-image < notes",
    "docker:index/network:Network notes-network < notes",
    "mcp-fleet:index:MCPServerFleet remote < ",
  ]);
});

test("containers wait for their networks, and the image for its build", () => {
  expect(node("notes-container-1").dependsOn).toEqual(
    expect.arrayContaining(["notes-egress", "notes-image", "notes-network"]),
  );
  expect(node("gateway-container").dependsOn).toEqual(
    expect.arrayContaining(["gateway-image", "gateway-network", "gateway-state"]),
  );
  expect(node("gateway-image").dependsOn).toEqual(["gateway-build"]);
});

test("networks of fleets lead nowhere; names are those of this project's stack", () => {
  const { name, internal } = node("notes-network").inputs;
  expect({ name, internal }).toEqual({
    name: `${pulumi.getProject()}-${pulumi.getStack()}-fleet-notes`,
    internal: true,
  });
  expect(node("notes-egress").inputs.internal).toBe(false);
});

test("secrets are encrypted in the state, wherever they stand", () => {
  expect(JSON.stringify(node("gateway-container-files").inputs.uploads)).toMatch(/"secret":.*token-of-ada/);
  expect(JSON.stringify(node("notes-container-1-files").inputs.uploads)).toMatch(/"secret":.*hidden/);
});

test("outputs", async () => {
  expect(await value(gateway.endpoint)).toBe("http://127.0.0.1:8080/mcp");
  expect(await value(gateway.internalEndpoint)).toBe("http://gateway:8080");
  expect(await value(notes.internalEndpoint)).toBe("http://notes-1:3001/mcp");
  expect(await value(notes.metricsTarget)).toBe("http://notes-1:3001/metrics");
  expect(JSON.parse(await value(notes.configuration))).toEqual({
    ...{ type: "custom", protocol: "http" },
    discovery: { dns: { name: "notes-instances", port: 3001, path: "/mcp", refreshMs: 1000 } },
  });
});

describe("what is wrong is refused, and nothing is made", () => {
  const fleet = (args: object) => () => new MCPServerFleet("notes", { ...fleetArgs, ...args });
  const container = fleetArgs.container;
  const front = (args: object) => () => {
    const fleets = [{ serverName: "notes", configuration: "{}" }];
    return new MCPGateway("gateway", { ...gatewayArgs, fleets, ...args });
  };
  test.each([
    [
      fleet({ container: { command: "notes" } }),
      "container.image is missing; give an image that the Docker host has or can pull",
    ],
    [
      fleet({ container: { image: "x" } }),
      "has no source of instances; give container.command, container.port, endpoints, or discovery",
    ],
    [fleet({ type: "magic" }), 'container.command stands beside the preset "magic"; remove it, or set type to custom'],
    [
      fleet({ scaling: { targetInFlight: 4 } }),
      "scaling.targetInFlight is given, but Docker has no autoscaler; remove it",
    ],
    [
      fleet({ scaling: { maxInstances: 3 } }),
      "scaling.maxInstances (3) is not minInstances (1), but Docker has no autoscaler; give both",
    ],
    [fleet({ scaling: { minInstances: pulumi.output(2) } }), "scaling.minInstances is known only later"],
    [
      fleet({ container: { ...container, path: "/x" } }),
      "container.path is given, but the server host serves this server",
    ],
    [
      fleet({ container: { image: "x", port: 1, healthPath: "/h" } }),
      "container.healthPath is given, but Docker can only run a program of the image",
    ],
    [
      fleet({ docker: { secretFiles: { API_KEY: "/k" } } }),
      "docker.secretFiles stands beside container.secretEnv; keep one place that secrets come from",
    ],
    [fleet({ docker: { build: {} } }), "docker.build.context is missing; give the folder of a checkout of mcp-fleet"],
    [fleet({ docker: { egres: true } }), 'docker.egres: is not a known key; did you mean "egress"?'],
    [
      fleet({ endpoints: ["http://x/mcp"] }),
      "container stands beside endpoints, which something else runs; remove one of the two",
    ],
    [front({ container: {} }), "container.image is missing; give the image of mcp-fleet"],
    [front({ auth: undefined }), "auth is missing, and the servers' containers reach the gateway"],
    [
      front({ secrets: undefined }),
      'a reference names the secret "ada", which is not given; add secrets.ada, or correct it',
    ],
    [front({ port: 0 }), "port: is 0; give a number >= 1"],
    [front({ scaling: { minInstances: 2 } }), "scaling is given, but a Docker host has one gateway"],
    [
      front({ fleets: [{ serverName: "notes" }] }),
      "fleets[0].configuration is missing; pass the MCPServerFleet itself",
    ],
  ])("%#", async (program, message) => {
    const registered: GraphNode[] = [];
    await expect(graphOf(program, registered)).rejects.toThrow(message);
    expect(registered.filter(({ type }) => type.startsWith("docker"))).toEqual([]);
  });
});

describe("secrets of an image that serves HTTP itself", () => {
  const made = async (args: object) => {
    const warnings: string[] = [];
    const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(async (text) => {
      warnings.push(text);
    });
    try {
      const graph = await graphOf(
        () => new MCPServerFleet("own", { platform: "docker", type: "custom", ...args }),
        [],
        cloud,
      );
      const { inputs } = graph.find(({ name }) => name === "own-container-1") as GraphNode;
      return { warnings, inputs: inputs as Record<string, unknown> };
    } finally {
      warn.mockRestore();
    }
  };

  test("as files they are mounted and their place is told; nothing of them is in what inspect shows", async () => {
    const { warnings, inputs } = await made({
      container: { image: "x", port: 9000, env: { MODE: "fast" } },
      docker: { secretFiles: { API_KEY: "/srv/api-key" } },
    });
    const path = "/run/secrets/mcp-fleet/API_KEY";
    expect([inputs.envs, inputs.volumes, warnings]).toEqual([
      ["MODE=fast", `API_KEY_FILE=${path}`],
      [{ containerPath: path, hostPath: "/srv/api-key", readOnly: true }],
      [],
    ]);
  });

  test("as environment they are visible to who can use the Docker socket, and the preview says so", async () => {
    const { warnings } = await made({ container: { image: "x", port: 9000, secretEnv: { API_KEY: "canary" } } });
    expect(warnings).toEqual([
      'MCPServerFleet "own": container.secretEnv (API_KEY) is shown by `docker inspect`, because the image serves HTTP itself; if the image reads NAME_FILE, give files of the host as docker.secretFiles instead',
    ]);
    expect(
      (await made({ container: { image: "x", command: "notes", secretEnv: { API_KEY: "canary" } } })).warnings,
    ).toEqual([]);
  });
});

test("a secret output in the arguments or the plain environment of a container is warned of", async () => {
  const warnings: string[] = [];
  const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(async (text) => {
    warnings.push(text);
  });
  try {
    const env = { MODE: "fast", KEY: pulumi.secret("canary"), OPEN: pulumi.output("open") };
    const args = ["--mode", pulumi.secret("canary"), pulumi.output("open")];
    const container = { image: "x", command: "notes", args, env };
    await graphOf(() => new MCPServerFleet("own", { platform: "docker", type: "custom", container }), [], cloud);
  } finally {
    warn.mockRestore();
  }
  const text = (field: string) =>
    `MCPServerFleet "own": container.${field} is a secret, but stands in plain text in the platform's objects; give it as container.secretEnv`;
  expect(warnings.sort()).toEqual([text("args[1]"), text("env.KEY")]);
});
