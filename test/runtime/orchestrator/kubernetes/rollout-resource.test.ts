import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { KubernetesRolloutInputs } from "../../../../runtime/config/schema/index.ts";
import { RolloutResource } from "../../../../runtime/orchestrator/kubernetes/rollout-resource.ts";
import { operate } from "../../../../runtime/orchestrator/process-platform/index.ts";
import {
  FakeApiServer,
  kubeconfigFor,
  podWith,
  rolledOut,
  type Stage,
  waiting,
} from "../../../support/fake-api-server.ts";

const deploymentPath = "/apis/apps/v1/namespaces/tools/deployments/gateway";
let server: FakeApiServer;
let inputs: KubernetesRolloutInputs;

beforeEach(async () => {
  server = new FakeApiServer();
  const kubeconfig = kubeconfigFor(await server.start());
  const known = { namespace: "tools", name: "gateway", uid: "uid-1", revision: "r1", timeoutSeconds: 60 };
  inputs = { ...known, cluster: { kubeconfig } };
});
afterEach(() => server.close());

/** What a failed rollout leaves in the state. */
const failed = (status: string, failure: string) => ({
  ...{ ok: true, id: "tools/gateway", outs: { ...inputs, status } },
  failure: `Deployment tools/gateway: ${failure}`,
});

/** A clock that each sleep moves on; `at` changes the cluster when so many seconds have passed. */
function turned(at: Readonly<Record<number, Stage>> = {}) {
  let seconds = 0;
  const told: string[] = [];
  const resource = new RolloutResource({
    now: () => seconds * 1000,
    sleep: async (ms) => {
      seconds += ms / 1000;
      server.stage = at[seconds] ?? server.stage;
    },
  });
  const progress = (line: string) => void told.push(`${seconds}: ${line}`);
  return { create: () => resource.create(inputs, progress), told, seconds: () => seconds, resource };
}

const old: Stage = { status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 } };
const begun = { observedGeneration: 2, replicas: 3, updatedReplicas: 1, availableReplicas: 2 };

test("waits until the new pods serve, though the old ones look as if they were new before the controller has seen the change", async () => {
  server.stage = old;
  const { create, seconds, told } = turned({ 2: { status: begun }, 5: {} });
  expect(await create()).toEqual({ ok: true, id: "tools/gateway", outs: { ...inputs, status: "running" } });
  expect([seconds(), told]).toEqual([5, []]);
});

test("says after 15 seconds what it waits for, and again after each 15", async () => {
  server.stage = { status: begun, pods: [podWith(waiting("ContainerCreating"))] };
  const { create, told } = turned({ 40: {} });
  await create();
  const line =
    "waiting for the Deployment tools/gateway: 0 of 2 new pods are ready, 2 of the earlier version left; pod gateway-7-x, container gateway: ContainerCreating";
  expect(told).toEqual([`15: ${line}`, `30: ${line}`]);
});

test("an image that does not exist fails long before the bound, with the pod's reason; the earlier version goes on serving", async () => {
  server.stage = { status: begun, pods: [podWith(waiting("ErrImagePull", "not found"))] };
  const { create, seconds } = turned();
  expect(await create()).toEqual(
    failed(
      "degraded",
      "the new version does not start (0 of 2 new pods are ready, 2 of the earlier version left); the earlier version goes on serving; pod gateway-7-x, container gateway: ErrImagePull: not found",
    ),
  );
  expect(seconds()).toBe(45);
});

test("a trouble that mends itself is forgotten", async () => {
  const broken = { status: begun, pods: [podWith(waiting("ErrImagePull"))] };
  server.stage = broken;
  const { create, seconds } = turned({ 30: { status: begun, pods: [podWith(waiting())] }, 31: broken, 50: {} });
  expect(await create()).toMatchObject({ ok: true });
  expect(seconds()).toBe(50);
});

test("a process that ends over and over fails with the last lines of its last run", async () => {
  const ended = { terminated: { reason: "Error", exitCode: 1 } };
  const state = { waiting: { reason: "CrashLoopBackOff" } };
  const status = { name: "gateway", ready: false, restartCount: 3, state, lastState: ended };
  server.stage = { status: { ...begun, availableReplicas: 0 }, pods: [podWith({ containerStatuses: [status] })] };
  server.logs = { "container=gateway&tailLines=10&previous=true": "config: port is -1\nbye\n" };
  expect(await turned().create()).toEqual(
    failed(
      "stopped",
      "the new version does not start (0 of 2 new pods are ready, 2 of the earlier version left); pod gateway-7-x, container gateway: CrashLoopBackOff: Error with exit code 1\nits last lines:\n  config: port is -1\n  bye",
    ),
  );
});

test("what only takes long fails at the bound, with the last lines of what runs and how to give it longer", async () => {
  server.stage = { status: begun, pods: [podWith(waiting())] };
  server.logs = { "container=gateway&tailLines=10": "unpacking\n" };
  const { create, seconds } = turned();
  expect(await create()).toEqual(
    failed(
      "degraded",
      "not rolled out within 60 s (0 of 2 new pods are ready, 2 of the earlier version left); the earlier version goes on serving; pod gateway-7-x, container gateway: not ready; raise kubernetes.rolloutSeconds if it needs longer\nits last lines:\n  unpacking",
    ),
  );
  expect(seconds()).toBe(60);
});

test("pods that may not be listed leave the reason unknown, and the bound the same", async () => {
  server.stage = { status: begun, pods: [podWith(waiting("ErrImagePull"))] };
  server.refused = { "/api/v1/namespaces/tools/pods": 403 };
  const failure = expect.stringContaining(": not rolled out within 60 s (0 of 2 new pods are ready");
  expect(await turned().create()).toMatchObject({ ok: true, failure });
});

test("an API server that is away for a moment is asked again", async () => {
  server.refused = { [deploymentPath]: 503 };
  const { resource } = turned();
  let asks = 0;
  const patient = new RolloutResource({
    now: () => asks * 1000,
    sleep: async () => {
      asks += 1;
      if (asks === 3) server.refused = {};
    },
  });
  expect(await patient.update(inputs, { ...inputs, status: "running" }, () => {})).toMatchObject({ ok: true });
  expect(asks).toBe(3);
  server.refused = { [deploymentPath]: 401 };
  await expect(resource.create(inputs, () => {})).rejects.toThrow(/cannot be asked how it is: HTTP 401 of .*: no /);
});

test.each([
  ["is not there", () => ({ refused: { [deploymentPath]: 404 } })],
  ["is one of the same name in another cluster", () => ({ stage: { uid: "uid-2" } })],
])("a Deployment that %s is not waited for: this is not the cluster of the provider", async (_what, change) => {
  Object.assign(server, change());
  await expect(turned().create()).rejects.toThrow(
    /^Deployment tools\/gateway of this update is not at http:\/\/127\.0\.0\.1:\d+ \(context "test" of the given kubeconfig\); let KUBECONFIG and its context name the cluster that the provider uses$/,
  );
});

test("a refresh finds that only earlier pods serve, or that the Deployment has gone", async () => {
  const olds = { ...inputs, status: "running" };
  server.stage = { status: begun };
  expect(await turned().resource.read(olds)).toEqual({
    ...{ ok: true, id: "tools/gateway" },
    outs: { ...olds, status: "degraded" },
  });
  server.refused = { [deploymentPath]: 404 };
  expect(await turned().resource.read(olds)).toEqual({ ok: true });
  server.refused = { [deploymentPath]: 403 };
  await expect(turned().resource.read(olds)).rejects.toThrow("HTTP 403");
});

test("the command of the component asks the same, with the token of the kubeconfig", async () => {
  server.stage = { status: rolledOut };
  const answer = await operate("rollout", "create", { inputs }, "main.ts", () => {});
  expect(answer).toEqual({ ok: true, id: "tools/gateway", outs: { ...inputs, status: "running" } });
  expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer token-of-test"]));
});

test("a kind that the cluster does not have is told before the update, which can define it", async () => {
  server.kinds = { "/apis/keda.sh/v1alpha1": ["ScaledJob"], "/apis/external-secrets.io/v1": ["ExternalSecret"] };
  const keda = "keda.sh/v1alpha1/ScaledObject";
  const route = "gateway.networking.k8s.io/v1/HTTPRoute";
  const kinds = [keda, "external-secrets.io/v1/ExternalSecret", route];
  const told: string[] = [];
  const { resource } = turned();
  expect(await resource.check({ ...inputs, kinds }, undefined, (line) => void told.push(line))).toEqual({ ok: true });
  const fix = "install the operator that defines it first, unless this update does";
  expect(told).toEqual(
    [keda, route].map((kind) => `warning: tools/gateway needs ${kind}, which the cluster does not have; ${fix}`),
  );
});
