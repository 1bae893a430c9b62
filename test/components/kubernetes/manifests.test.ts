import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import fc from "fast-check";
import { stringify } from "yaml";
import { MCPGateway, MCPServerFleet } from "../../../index.ts";
import { expectChecked } from "../../support/checkov.ts";
import { graphOf } from "../../support/graph.ts";
import { fleetArguments, gatewayArguments } from "../../support/kubernetes-arguments.ts";
import {
  monitoringProgram,
  operatorKinds,
  operatorProgram,
  ordinaryProgram,
} from "../../support/kubernetes-program.ts";
import { type Manifest, manifestsOf } from "../../support/manifests.ts";
import { testWith } from "../../support/needs.ts";

const test = testWith("kubernetes-validate and checkov (MANIFEST_PYTHON)");

/** Checks that do not apply, each with its reason. Everything else must pass. */
const exceptions = {
  CKV_K8S_11: "no limit of processor time: it would stop a process with time to spare on the node",
  CKV_K8S_15: "IfNotPresent: a registry that is away must not stop a restart; tags are not moved",
  CKV_K8S_43: "whether an image is named by its digest is the user's choice",
} as const;

let folder: string;
let ordinary: Manifest[];
let watched: Manifest[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "manifests-test-"));
  ordinary = manifestsOf(await graphOf(ordinaryProgram));
  watched = manifestsOf(await graphOf(monitoringProgram));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, manifests: readonly Manifest[]): string {
  const path = join(folder, name);
  writeFileSync(path, manifests.map((manifest) => stringify(manifest)).join("---\n"));
  return path;
}

const tool = (name: string) => join(dirname(process.env.MANIFEST_PYTHON as string), name);

/** The oldest version that docs/use/kubernetes.md names, and the one that the engines' tests run. */
const page = readFileSync(join(import.meta.dirname, "../../../docs/use/kubernetes.md"), "utf8");
const versions = [/Kubernetes (\d\.\d+) or newer/.exec(page)?.[1] as string, "1.34"];

for (const version of versions) {
  test(`kubernetes-validate of ${version} finds nothing, strictly, in these graphs and in ones of any right arguments`, async () => {
    const graphs = [ordinary, watched, manifestsOf(await graphOf(operatorProgram))];
    const samples = fc.sample(fc.tuple(fleetArguments, gatewayArguments), { seed: 20_261_125, numRuns: 20 });
    for (const [fleetArgs, gatewayArgs] of samples) {
      const program = () =>
        new MCPGateway("gateway", { ...gatewayArgs, fleets: [new MCPServerFleet("notes", fleetArgs)] });
      graphs.push(manifestsOf(await graphOf(program)));
    }
    const own = graphs.flat().filter(({ kind }) => !operatorKinds.includes(kind));
    expect(own.length).toBeGreaterThan(300);
    const path = file("objects.yaml", own);
    const { status, stdout, stderr } = spawnSync(tool("kubernetes-validate"), ["--strict", "-k", version, path], {
      encoding: "utf8",
    });
    expect([status, stdout.split("\n").filter((line) => line.includes("ERROR")), stderr]).toEqual([0, [], ""]);
  }, 120_000);
}

test("kubernetes-validate finds a key that does not exist", () => {
  const [first] = ordinary.filter(({ kind }) => kind === "Deployment") as (Manifest & { spec: object })[];
  const path = file("wrong.yaml", [{ ...first, spec: { ...first?.spec, replicaz: 1 } } as Manifest]);
  expect(spawnSync(tool("kubernetes-validate"), ["--strict", "-k", "1.34", path]).status).not.toBe(0);
}, 60_000);

test("checkov finds nothing but what has its reason here", () => {
  const path = file("checked.yaml", ordinary);
  expectChecked("kubernetes", path, exceptions, 200);
}, 120_000);
