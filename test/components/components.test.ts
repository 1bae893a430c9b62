import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { providerSdk } from "../../components/provider-sdk.ts";
import { MCPGateway, type MCPGatewayArgs, MCPServerFleet, type MCPServerFleetArgs, Platform } from "../../index.ts";

interface Made {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}
let made: Made[];

beforeAll(() => {
  pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        made.push({ type, name, inputs });
        return {
          id: `${name}-id`,
          state: { ...inputs, url: "http://127.0.0.1:8080", status: "running", source: "somewhere" },
        };
      },
      call: ({ inputs }) => inputs,
    },
    "shop",
    "test",
    false,
  );
  process.env.MCP_FLEET_STATE = "/state";
});
beforeEach(() => {
  made = [];
});
// A component that refuses its arguments has already been announced to the engine.
afterEach(() => (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs());

const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));
const fleet = (name: string, args: unknown) => new MCPServerFleet(name, args as MCPServerFleetArgs);

describe("a fleet and its gateway", () => {
  test("become one resource each, with the names that state depends on", async () => {
    const search = fleet("search", { type: "context7", scaling: { maxInstances: 7 } });
    const gateway = new MCPGateway("gateway", { fleets: [search], port: 9000 });
    expect(await value(gateway.endpoint)).toBe("http://127.0.0.1:8080/mcp");
    expect(await value(gateway.metricsTarget)).toBe("http://127.0.0.1:8080/metrics");
    expect([await value(search.path), await value(search.source)]).toEqual(["/mcp/search", "somewhere"]);
    expect(made.map(({ type, name }) => [type, name]).sort()).toEqual([
      ["mcp-fleet:index:MCPGateway", "gateway"],
      ["mcp-fleet:index:MCPServerFleet", "search"],
      ["pulumi-nodejs:dynamic/mcp-fleet:ProcessFleet", "search-fleet"],
      ["pulumi-nodejs:dynamic/mcp-fleet:ProcessGateway", "gateway-gateway"],
    ]);
  });

  test.each(Object.values(Platform))("on %s: scaling of what something else runs is refused by name", (platform) => {
    const external = { platform, type: "custom", endpoints: ["https://mcp.example.com/mcp"] };
    const problem = (key: string) =>
      `MCPServerFleet "remote": scaling.${key} is given, but the instances at its endpoints are externally managed; remove it`;
    const scaled = { ...external, scaling: { minInstances: 2, targetInFlight: 8 } };
    expect(() => fleet("remote", scaled)).toThrow(`${problem("minInstances")}\n${problem("targetInFlight")}`);
  });

  test.each(Object.values(Platform))("on %s: what something else runs can be said to be at rest", async (platform) => {
    const external = { platform, type: "custom", endpoints: ["https://mcp.example.com/mcp"] };
    const resting = fleet("remote", { ...external, scaling: { minInstances: 0 } });
    expect(JSON.parse(await value(resting.configuration))).toMatchObject({ scaling: { minInstances: 0 } });
  });

  test("carry the configuration, and the gateway only the names of its fleets", async () => {
    const search = fleet("search", { type: "context7", scaling: { maxInstances: pulumi.output(7) } });
    const gateway = new MCPGateway("gateway", { fleets: [search], log: { level: "debug" } });
    await value(gateway.status);
    const inputsOf = (wanted: string) => {
      const { __provider, command, ...inputs } = made.find(({ name }) => name === wanted)?.inputs ?? {};
      return inputs;
    };
    expect(inputsOf("search-fleet")).toEqual({
      name: "search",
      serverName: "search",
      stateDirectory: "/state/shop@test",
      server: { type: "context7", scaling: { maxInstances: 7 } },
    });
    expect(inputsOf("gateway-gateway")).toEqual({
      name: "gateway",
      stateDirectory: "/state/shop@test",
      owner: { organization: "organization", project: "shop", stack: "test", program: process.cwd() },
      gateway: { log: { level: "debug" } },
      fleets: ["search"],
    });
  });
});

const known = "is known only later, but its items or keys decide what is made; give them now, with outputs as values";

describe("an output where a list or an object is needed now is refused by name", () => {
  test.each([
    ["kubernetes", { kubernetes: { network: { egressCidrs: pulumi.output([]) } } }, "kubernetes.network.egressCidrs"],
    ["kubernetes", { kubernetes: { network: pulumi.output({}) } }, "kubernetes.network"],
    ["kubernetes", { kubernetes: { imagePullSecrets: Promise.resolve([]) } }, "kubernetes.imagePullSecrets"],
    ["docker", { container: { env: pulumi.output({}) } }, "container.env"],
    ["systemd", { systemd: { secretFiles: pulumi.output({}) } }, "systemd.secretFiles"],
  ])("of a fleet on %s: %s", (platform, args, field) => {
    expect(() => fleet("notes", { platform, type: "custom", ...args })).toThrow(
      `MCPServerFleet "notes": ${field} ${known}`,
    );
  });

  test("of a gateway", () => {
    const args = { fleets: pulumi.output([]), secrets: pulumi.output({}) } as unknown as MCPGatewayArgs;
    expect(() => new MCPGateway("gateway", { ...args, platform: "docker" })).toThrow(
      `MCPGateway "gateway": fleets ${known}\nMCPGateway "gateway": secrets ${known}`,
    );
  });
});

test("a name that breaks a rule is told each rule", () => {
  expect(() => fleet("docs-", { type: "context7" })).toThrow(
    'MCPServerFleet "docs-": the name becomes part of tool names and paths; use lower case letters, digits and hyphens, at most 32 characters, beginning and ending with a letter or digit',
  );
});

describe("wrong arguments are refused with component, field, value and fix", () => {
  test.each([
    [
      "search",
      { type: "contxt7" },
      'MCPServerFleet "search": type: is "contxt7"; did you mean "context7"? give one of context7, sequential, magic, playwright, custom',
    ],
    [
      "search",
      { type: "magic", scalling: {} },
      'MCPServerFleet "search": scalling: is not a known key; did you mean "scaling"?',
    ],
    [
      "search",
      { type: "custom" },
      'MCPServerFleet "search": has no source of instances; add process, endpoints or discovery',
    ],
    [
      "search",
      { type: "magic", platform: "mars" },
      'MCPServerFleet "search": platform "mars" is not one of process, systemd, docker, kubernetes, aws; set platform to one of these',
    ],
    [
      "search",
      { type: "magic", kubernetes: {} },
      'MCPServerFleet "search": kubernetes is given, but platform is "process"; remove kubernetes, or set platform to kubernetes',
    ],
    [
      "search",
      { type: "magic", platform: "docker", process: { command: "x" } },
      'MCPServerFleet "search": process is given, but platform is "docker"; remove process, or set platform to process',
    ],
    [
      "search",
      { type: "magic", container: { image: "x" } },
      'MCPServerFleet "search": container is given, but platform is "process", where the gateway itself runs the servers; remove container, or set platform to one of systemd, docker, kubernetes, aws',
    ],
    [
      "search",
      { type: "magic", scaling: { minInstances: 5, maxInstances: 3 } },
      'MCPServerFleet "search": scaling.minInstances: is 5, more than maxInstances (3); raise maxInstances or lower minInstances',
    ],
    [
      "My Server",
      { type: "magic" },
      'MCPServerFleet "My Server": the name becomes part of tool names and paths; use lower case letters, digits and hyphens, at most 32 characters, beginning and ending with a letter or digit',
    ],
  ])("fleet %s %j", (name, args, message) => {
    expect(() => fleet(name, args)).toThrow(message);
  });

  test.each([
    [
      { host: "0.0.0.0" },
      'MCPGateway "gateway": host: is "0.0.0.0", which other machines reach, without authentication; add gateway.auth with at least one bearer token, or listen on 127.0.0.1',
    ],
    [{ prot: 1 }, 'MCPGateway "gateway": prot: is not a known key; did you mean "port"?'],
    [{ port: 99999 }, 'MCPGateway "gateway": port: is 99999; give a number <= 65535'],
    [
      { platform: "docker", process: {} },
      'MCPGateway "gateway": process is given, but platform is "docker"; remove process, or set platform to process',
    ],
    [{ fleets: [] }, 'MCPGateway "gateway": fleets is an empty list; give at least one MCPServerFleet'],
  ])("gateway %j", (args, message) => {
    const fleets = [fleet("search", { type: "context7" })];
    expect(() => new MCPGateway("gateway", { fleets, ...args } as MCPGatewayArgs)).toThrow(message);
  });
});

test("what depends on another resource is not known yet, and is left to the resource's own check", async () => {
  const search = fleet("search", { type: "magic", scaling: { minInstances: pulumi.output(5), maxInstances: 3 } });
  expect(await value(search.serverName)).toBe("search");
});

test("the provider's text, which is part of every state, is small and the same in every checkout", async () => {
  await value(fleet("search", { type: "context7" }).serverName);
  const text = String(made.find(({ name }) => name === "search-fleet")?.inputs.__provider);
  expect(text.length).toBeLessThan(8000);
  expect(text).not.toContain(join(import.meta.dirname, "../.."));
  expect(readFileSync(join(import.meta.dirname, "../../components/process/provider.ts"), "utf8")).not.toMatch(
    /from "(?!@pulumi|\.\.\/\.\.\/runtime\/config\/schema)/,
  );
});

test("a provider's package that is not installed is named, with the command that installs it", () => {
  expect(() => providerSdk('MCPGateway "gateway"', Platform.Aws, "@pulumi/nowhere")).toThrow(
    'MCPGateway "gateway": platform "aws" needs the package @pulumi/nowhere, which is not installed; run npm install @pulumi/nowhere',
  );
});
