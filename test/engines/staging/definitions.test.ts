import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { stringify } from "yaml";
import { Cluster } from "../../support/cluster.ts";
import { graphOf } from "../../support/graph.ts";
import { monitoringProgram, operatorKinds, operatorProgram } from "../../support/kubernetes-program.ts";
import { type Manifest, manifestsOf } from "../../support/manifests.ts";
import { testWith } from "../../support/needs.ts";
import { has } from "../../support/present.ts";

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
  const objects = [...(await graphOf(operatorProgram)), ...(await graphOf(monitoringProgram))];
  foreign = manifestsOf(objects).filter(
    ({ kind, metadata }) => operatorKinds.includes(kind) || metadata.name.includes("watch"),
  );
}, 300_000);
afterAll(() => {
  if (has(need)) rmSync(folder, { recursive: true });
});

/** Asks the API server whether it would take an object, unknown keys being wrong. */
function offer(manifest: Manifest): Promise<string> {
  const file = join(folder, `${manifest.kind}-${manifest.metadata.name}.yaml`);
  const metadata = { ...manifest.metadata, namespace: "default" };
  writeFileSync(file, stringify({ ...manifest, metadata }));
  return cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", file);
}

test("the operators' own definitions take every object for them", async () => {
  const answers = await Promise.all(foreign.map(offer));
  expect(answers.sort()).toEqual([
    "alertmanagerconfig.monitoring.coreos.com/mcp-fleet-watch created (server dry run)",
    "configmap/mcp-fleet-watch created (server dry run)",
    "externalsecret.external-secrets.io/mcp-notes created (server dry run)",
    "httproute.gateway.networking.k8s.io/second created (server dry run)",
    "prometheusrule.monitoring.coreos.com/mcp-fleet-watch created (server dry run)",
    "scaledobject.keda.sh/mcp-notes created (server dry run)",
    "secret/mcp-fleet-watch-receivers created (server dry run)",
    "servicemonitor.monitoring.coreos.com/mcp-fleet-watch created (server dry run)",
  ]);
});

const strange = {
  ScaledObject: { minReplicas: 1 },
  PrometheusRule: { rules: [] },
  ServiceMonitor: { endpoint: {} },
  AlertmanagerConfig: { receiver: [] },
};
for (const [wanted, more] of Object.entries(strange)) {
  test(`and refuse a ${wanted} with a key that does not exist`, async () => {
    const [first] = foreign.filter(({ kind }) => kind === wanted) as (Manifest & { spec: object })[];
    const wrong = { ...first, spec: { ...first?.spec, ...more } } as unknown as Manifest;
    await expect(offer(wrong)).rejects.toThrow(`unknown field "spec.${Object.keys(more)[0]}"`);
  });
}
