import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { Cluster } from "../../support/cluster.ts";
import { testWith } from "../../support/needs.ts";
import { has } from "../../support/present.ts";
import { create, remove, update } from "../stand-ins/kubernetes/cluster.ts";
import type { KubernetesObject } from "../stand-ins/kubernetes/objects.ts";
import { NotReady } from "../stand-ins/kubernetes/waits.ts";

// What the real provider plugin does and a plain `kubectl apply` would not, on a real cluster.
const need = "a Kubernetes cluster (test/engines/engines up kubernetes)";
const test = testWith(need);
const namespace = `provider-test-${randomBytes(3).toString("hex")}`;
const making = { urn: "urn:of-test", preview: false, seconds: 2 };
const manager = "pulumi-kubernetes-0a1b2c3d";
let cluster: Cluster;

beforeAll(async () => {
  if (!has(need)) return;
  cluster = new Cluster(namespace);
  Object.assign(process.env, cluster.env);
  await cluster.kubectl("create", "namespace", namespace);
}, 60_000);
afterAll(async () => {
  if (has(need)) await cluster.kubectl("delete", "namespace", namespace, "--wait=false");
}, 60_000);

const configMap = (name: string, data: Record<string, string>, annotations = {}): KubernetesObject => ({
  ...{ apiVersion: "v1", kind: "ConfigMap" },
  metadata: { name, namespace, annotations },
  data,
});
/** Pods that cannot be pulled, or of which none is wanted. */
const deployment = (name: string, replicas: number, image = "no-such-image:1", annotations = {}): KubernetesObject => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment" },
  metadata: { name, namespace, annotations },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image, imagePullPolicy: "Never" }] },
    },
  },
});

test("what exists is not made again, and a preview says nothing of it", async () => {
  await create(configMap("taken", { a: "1" }), making);
  await expect(create(configMap("taken", { a: "2" }), making)).rejects.toThrow(
    /^resource "urn:of-test" was not successfully created by the Kubernetes API server: configmaps "taken" already exists\n\nThe resource already exists in the cluster\./,
  );
  expect(await create(configMap("taken", { a: "2" }), { ...making, preview: true })).toBeUndefined();
});

test("what somebody else has written is a conflict, in a preview too, and is taken by force where that is asked for", async () => {
  await create(configMap("shared", { a: "1" }), making);
  const change = (annotations = {}, preview = false) =>
    update(configMap("shared", { a: "3" }, annotations), manager, [], { ...making, preview });
  // The first apply takes over what was made by POST.
  await update(configMap("shared", { a: "2" }), manager, [], making);
  await cluster.kubectl("patch", "configmap", "shared", "--field-manager=other", "-p", '{"data":{"a":"theirs"}}');
  const conflict = /had an apply conflict: Apply failed with 1 conflict: conflict with "other" using v1: \.data\.a/;
  await expect(change({}, true)).rejects.toThrow(conflict);
  await expect(change()).rejects.toThrow(conflict);
  await change({ "pulumi.com/patchForce": "true" });
  expect((await cluster.get<KubernetesObject>("configmap", "shared")).data).toEqual({ a: "3" });
});

test("a Deployment whose pods do not become ready is there, and not ready when its time is over", async () => {
  const failed = await create(deployment("broken", 1), making).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(NotReady);
  const { message, reasons, object } = failed as NotReady;
  expect(message).toBe(
    "resource \"urn:of-test\" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: 'broken' timed out waiting to be Ready",
  );
  expect(reasons).toContain("Minimum number of live Pods was not attained");
  expect(object.metadata.name).toBe("broken");
});

test("a broken change counts as a success after another Deployment was awaited, which is the plugin's fault", async () => {
  const patient = { ...making, seconds: 120 };
  await create(deployment("first", 0), patient);
  await create(deployment("second", 1, "local/pause:1"), patient);
  const broken = await update(deployment("second", 1), manager, [], patient);
  expect(broken?.metadata.name).toBe("second");
  const { spec } = await cluster.get<{ spec: { template: { spec: { containers: { image: string }[] } } } }>(
    "deployment",
    "second",
  );
  expect(spec.template.spec.containers[0]?.image).toBe("no-such-image:1");
});

test("with its annotations a Deployment is waited for until it is there, and an Ingress not at all", async () => {
  const there = { "pulumi.com/waitFor": "jsonpath={.metadata.uid}" };
  await create(deployment("quick", 1, "no-such-image:1", there), making);
  const ingress = (name: string, annotations = {}): KubernetesObject => ({
    ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
    metadata: { name, namespace, annotations },
    spec: { defaultBackend: { service: { name: "none", port: { number: 80 } } } },
  });
  await create(ingress("quick", { "pulumi.com/skipAwait": "true" }), making);
  await expect(create(ingress("slow"), making)).rejects.toThrow("'slow' timed out waiting to be Ready");
});

test("a kind that the cluster does not have is not told in a preview, and after half a minute of tries in an update", async () => {
  const unknown: KubernetesObject = {
    apiVersion: "example.com/v1",
    kind: "Nothing",
    metadata: { name: "a", namespace },
  };
  expect(await create(unknown, { ...making, preview: true })).toBeUndefined();
  await expect(create(unknown, making)).rejects.toThrow(
    'creation of resource "urn:of-test" with kind example.com/v1/Nothing failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created',
  );
  await remove(unknown, 5);
});
