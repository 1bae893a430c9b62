import { expect, test } from "@jest/globals";
import { differences } from "./differences.ts";
import { withIgnored } from "./field-managers.ts";
import { named } from "./naming.ts";
import type { KubernetesObject } from "./objects.ts";

const immutable = { secrets: false, configMaps: false };
const made = (kind: string, more: object = {}, metadata: object = { name: "a" }): KubernetesObject => ({
  ...{ apiVersion: "v1", kind, metadata },
  ...more,
});
const between = (olds: KubernetesObject, news: KubernetesObject, live: object = {}, mutable = immutable) =>
  differences({ ...olds, ...live } as KubernetesObject, olds, news, [], mutable);

test("what a server adds is no difference, and what somebody else has changed is one", () => {
  const olds = made("Service", { spec: { type: "ClusterIP" } });
  const none = { changed: [], replaces: [], deleteFirst: false };
  expect(between(olds, olds, { spec: { type: "ClusterIP", clusterIP: "10.0.0.1" }, status: {} })).toEqual(none);
  expect(between(olds, olds, { spec: { type: "NodePort" } }).changed).toEqual(["spec.type"]);
});

test("an empty list is no difference, in a list of containers neither: the server does not keep it", () => {
  const containers = (more: object) => ({ spec: { containers: [{ name: "main", image: "a:1", ...more }] } });
  const declared = made("Deployment", containers({ env: [] }));
  expect(between(declared, declared, containers({})).changed).toEqual([]);
  const drifted = between(declared, declared, containers({ image: "a:2" }));
  expect(drifted.changed).toEqual(["spec.containers.0.image"]);
});

test("data of Secrets and ConfigMaps replaces them, delete first, unless the provider or the name says otherwise", () => {
  const data = (text: string) => ({ data: { key: text } });
  const replaced = { changed: ["data.key"], replaces: ["data.key"], deleteFirst: true };
  const kept = { changed: ["data.key"], replaces: [], deleteFirst: false };
  for (const kind of ["Secret", "ConfigMap"]) {
    const change = [made(kind, data("x")), made(kind, data("y"))] as const;
    expect(between(...change)).toEqual(replaced);
    expect(between(...change, {}, { secrets: true, configMaps: true })).toEqual(kept);
    const frozen = { immutable: true };
    const fixed = [made(kind, { ...frozen, ...data("x") }), made(kind, { ...frozen, ...data("y") })] as const;
    expect(between(...fixed, {}, { secrets: true, configMaps: true })).toEqual(replaced);
    const autonamed = { name: "a", annotations: { "pulumi.com/autonamed": "true" } };
    const free = [made(kind, data("x"), autonamed), made(kind, data("y"), autonamed)] as const;
    expect(between(...free)).toEqual({ ...replaced, deleteFirst: false });
  }
});

test("the texts of a Secret are compared as the server keeps them", () => {
  const olds = made("Secret", { stringData: { key: "x" } });
  expect(between(olds, olds, { data: { key: "eA==" } }).changed).toEqual([]);
  expect(between(olds, olds, { data: { key: "eQ==" } }).changed).toEqual(["data.key"]);
});

test("what has no name gets one, keeps it while the resource goes on, and another one with each replacement", () => {
  const inputs = made("ConfigMap", {}, {});
  const first = named(inputs, undefined, "gateway-config");
  expect(first.metadata).toEqual({
    name: expect.stringMatching(/^gateway-config-[0-9a-f]{8}$/),
    annotations: { "pulumi.com/autonamed": "true" },
  });
  expect(named(inputs, first, "gateway-config")).toEqual(first);
  expect(named(inputs, undefined, "gateway-config").metadata.name).not.toBe(first.metadata.name);
  expect(named(made("ConfigMap"), first, "gateway-config")).toEqual(made("ConfigMap"));
});

test("an ignored field is left to the others who manage it, and kept as it is where it is ours", () => {
  const managed = (...managers: string[]) => ({
    ...made("Deployment", { spec: { replicas: 5 } }),
    metadata: {
      name: "a",
      managedFields: managers.map((manager) => ({
        ...{ manager, operation: "Update" as const },
        fieldsV1: { "f:spec": { "f:replicas": {} } },
      })),
    },
  });
  const inputs = made("Deployment", { spec: { replicas: 2, paused: false } });
  const applied = (...managers: string[]) => withIgnored(inputs, managed(...managers), "us", ["spec.replicas"]).spec;
  expect(applied("autoscaler")).toEqual({ paused: false });
  expect(applied("us", "autoscaler")).toEqual({ replicas: 5, paused: false });
  expect(applied()).toEqual({ replicas: 5, paused: false });
});
