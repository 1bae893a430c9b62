import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { InputError, MCPGateway, MCPServerFleet } from "../../../index.ts";
import { podProblems } from "../../../policy/restricted-pod.ts";
import { type GraphNode, graphOf } from "../../support/graph.ts";
import {
  fleetArguments,
  fleetMistakes,
  gatewayArguments,
  gatewayMistakes,
} from "../../support/kubernetes-arguments.ts";

interface DeploymentSpec {
  readonly template: { readonly spec: Parameters<typeof podProblems>[0] };
}
const key = { seed: 20_261_125, numRuns: 40 };
const made = (graph: readonly GraphNode[]) => graph.filter(({ type }) => type.startsWith("kubernetes:"));

test("any right arguments give a graph whose pods are restricted, and that one autoscaler at most owns", async () => {
  await fc.assert(
    fc.asyncProperty(fleetArguments, gatewayArguments, async (fleetArgs, gatewayArgs) => {
      const graph = await graphOf(() => {
        const fleet = new MCPServerFleet("notes", fleetArgs);
        return new MCPGateway("gateway", { ...gatewayArgs, fleets: [fleet] });
      });
      const pods = made(graph).flatMap(({ type, inputs }) =>
        type === "kubernetes:apps/v1:Deployment" ? [(inputs.spec as DeploymentSpec).template.spec] : [],
      );
      expect(pods.length).toBe(2);
      expect(pods.flatMap(podProblems)).toEqual([]);
      for (const owner of ["notes", "gateway"]) {
        const scalers = made(graph).filter(({ name }) => name === `${owner}-autoscaler`);
        const deployment = graph.find(({ name }) => name === `${owner}-deployment`) as GraphNode;
        const { replicas } = deployment.inputs.spec as { replicas?: number };
        expect([scalers.length, replicas === undefined]).toEqual(replicas === undefined ? [1, true] : [0, false]);
      }
      expect(new Set(made(graph).map(({ name }) => name)).size).toBe(made(graph).length);
    }),
    key,
  );
}, 60_000);

describe("one mistake in right arguments is an InputError that names it, and nothing is made", () => {
  const fewer = { ...key, numRuns: 5 };
  const refused = async (program: () => unknown, names: RegExp) => {
    const registered: GraphNode[] = [];
    const error = await graphOf(program, registered).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(names);
    expect((error as Error).message).toMatch(/^(MCPServerFleet "notes"|MCPGateway "gateway"): /);
    return made(registered);
  };

  test.each(fleetMistakes)("fleet: %s", async (_, mistake, names) => {
    await fc.assert(
      fc.asyncProperty(fleetArguments, async (args) => {
        const wrong = mistake(args) as typeof args;
        expect(await refused(() => new MCPServerFleet("notes", wrong), names)).toEqual([]);
      }),
      fewer,
    );
  });

  test.each(gatewayMistakes)("gateway: %s", async (_, mistake, names) => {
    await fc.assert(
      fc.asyncProperty(gatewayArguments, async (args) => {
        const remote = { serverName: "remote", configuration: '{"type":"custom","endpoints":["http://a/mcp"]}' };
        const wrong = { ...mistake(args), fleets: [remote] } as ConstructorParameters<typeof MCPGateway>[1];
        expect(await refused(() => new MCPGateway("gateway", wrong), names)).toEqual([]);
      }),
      fewer,
    );
  });

  test("a gateway whose name is taken by fleets", async () => {
    const fleets = [{ serverName: "remote", configuration: "{}" }];
    const args = { platform: "kubernetes", fleets };
    await expect(graphOf(() => new MCPGateway("mcp-notes", args))).rejects.toThrow('the name "mcp-notes" becomes');
  });

  test("a fleet that does not say how it is reached", async () => {
    const args = { platform: "kubernetes", fleets: [{ serverName: "remote" }] };
    await expect(graphOf(() => new MCPGateway("gateway", args))).rejects.toThrow("fleets[0].configuration is missing");
  });
});
