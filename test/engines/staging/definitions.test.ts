import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { stringify } from "yaml";
import { Cluster } from "../../support/cluster.ts";
import { graphOf } from "../../support/graph.ts";
import { operatorProgram } from "../../support/kubernetes-program.ts";
import { type Manifest, manifestsOf } from "../../support/manifests.ts";
import { has, testWith } from "../../support/needs.ts";

const need = "a Kubernetes cluster (test/engines/engines up kubernetes)";
const test = testWith(need);
let folder: string;
let cluster: Cluster;
let foreign: Manifest[];

beforeAll(async () => {
  if (!has(need)) return;
  folder = mkdtempSync(join(tmpdir(), "definitions-test-"));
  cluster = new Cluster("default");
  await promisify(execFile)(join(import.meta.dirname, "../engines"), ["crds"]);
  foreign = manifestsOf(await graphOf(operatorProgram)).filter(({ kind }) =>
    ["ScaledObject", "ExternalSecret", "HTTPRoute"].includes(kind),
  );
}, 300_000);
afterAll(() => {
  if (has(need)) rmSync(folder, { recursive: true });
});

/** Asks the API server whether it would take an object, unknown keys being wrong. */
function offer(manifest: Manifest): Promise<string> {
  const file = join(folder, `${manifest.kind}.yaml`);
  const metadata = { ...manifest.metadata, namespace: "default" };
  writeFileSync(file, stringify({ ...manifest, metadata }));
  return cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", file);
}

test("the operators' own definitions take every object for them", async () => {
  const answers = await Promise.all(foreign.map(offer));
  expect(answers.sort()).toEqual([
    "externalsecret.external-secrets.io/mcp-notes created (server dry run)",
    "httproute.gateway.networking.k8s.io/second created (server dry run)",
    "scaledobject.keda.sh/mcp-notes created (server dry run)",
  ]);
});

test("and refuse one with a key that does not exist", async () => {
  const [first] = foreign.filter(({ kind }) => kind === "ScaledObject") as (Manifest & { spec: object })[];
  await expect(offer({ ...first, spec: { ...first?.spec, minReplicas: 1 } } as unknown as Manifest)).rejects.toThrow(
    "minReplicas",
  );
});
