import { describe, expect, test } from "@jest/globals";
import {
  isComplete,
  newPods,
  type Pod,
  progressOf,
  statusOf,
  troubleOf,
} from "../../../../runtime/orchestrator/kubernetes/rollout.ts";
import { deploymentAt, podWith, replicaSets, rolledOut, waiting } from "../../../support/fake-api-server.ts";

describe("a Deployment's status", () => {
  test.each([
    ["all pods are of the last version", {}, true, "running"],
    [
      "the controller has not seen the change, and the old pods are available",
      { observedGeneration: 1 },
      false,
      "degraded",
    ],
    ["an old pod is left", { replicas: 3 }, false, "degraded"],
    ["only old pods are available", { replicas: 3, updatedReplicas: 1, availableReplicas: 2 }, false, "degraded"],
    ["one of two new pods is ready", { availableReplicas: 1 }, false, "running"],
    ["no pod is available", { availableReplicas: 0 }, false, "stopped"],
  ])("%s", (_what, change, complete, status) => {
    const deployment = deploymentAt({ status: { ...rolledOut, ...change } });
    expect([isComplete(deployment), statusOf(deployment)]).toEqual([complete, status]);
  });

  test("an autoscaler wants more pods than there are", () => {
    const deployment = deploymentAt({ replicas: 4 });
    expect([isComplete(deployment), statusOf(deployment)]).toEqual([false, "running"]);
  });

  test("a fleet at rest has no pods, and is not stopped", () => {
    const deployment = deploymentAt({ status: { observedGeneration: 2 }, replicas: 0 });
    expect([isComplete(deployment), statusOf(deployment)]).toEqual([true, "running"]);
  });

  test("nothing is known yet", () => {
    const deployment = deploymentAt({ status: {} });
    expect([isComplete(deployment), statusOf(deployment)]).toEqual([false, "stopped"]);
  });
});

describe("new pods", () => {
  const pod = (hash: string, more: object = {}): Pod => ({
    metadata: { name: `gateway-${hash}`, labels: { "pod-template-hash": hash }, ...more },
  });
  const pods = [pod("hash-6"), pod("hash-7"), pod("hash-7", { name: "ending", deletionTimestamp: "now" })];

  test("are those of the ReplicaSet with the Deployment's own revision, but for those that end", () => {
    expect(newPods(deploymentAt({}), replicaSets, pods)).toEqual([pod("hash-7")]);
  });

  test("are unknown while the controller has not seen the change: its revision is that of the version before", () => {
    expect(newPods(deploymentAt({ generation: 3 }), replicaSets, pods)).toEqual([]);
  });

  test("are not those of another Deployment with the same labels", () => {
    expect(newPods(deploymentAt({ uid: "uid-2" }), replicaSets, pods)).toEqual([]);
  });
});

describe("what keeps a pod from serving", () => {
  const troubleIn = (...statuses: NonNullable<Pod["status"]>[]) =>
    troubleOf(
      deploymentAt({}),
      statuses.map((status) => podWith(status)),
    );
  const pod = "gateway-7-x";
  const container = "gateway";

  test.each([
    [
      "an image that does not exist",
      waiting("ImagePullBackOff", "Back-off pulling image"),
      "ImagePullBackOff: Back-off pulling image",
    ],
    ["a Secret without the key", waiting("CreateContainerConfigError", "no key"), "CreateContainerConfigError: no key"],
  ])("%s lasts", (_what, status, reason) => {
    expect(troubleIn(status)).toEqual({ pod, container, reason, ended: false, lasting: true });
  });

  test("a process that ends over and over lasts, and the log of its last run says why", () => {
    const ended = { terminated: { reason: "Error", exitCode: 2 } };
    const status = { name: container, ready: false, restartCount: 3, lastState: ended };
    const backOff = { ...status, state: { waiting: { reason: "CrashLoopBackOff" } } };
    const reason = "CrashLoopBackOff: Error with exit code 2";
    expect(troubleIn({ containerStatuses: [backOff] })).toEqual({ pod, container, reason, ended: true, lasting: true });
    const again = "restarted: Error with exit code 2";
    expect(troubleIn({ containerStatuses: [status] })).toEqual({
      pod,
      container,
      reason: again,
      ended: true,
      lasting: true,
    });
  });

  test("a command that cannot be started is named", () => {
    const message = 'exec: "/bin/none": no such file or directory\n';
    const lastState = { terminated: { reason: "StartError", exitCode: 128, message } };
    const state = { waiting: { reason: "CrashLoopBackOff" } };
    expect(
      troubleIn({ containerStatuses: [{ name: container, ready: false, restartCount: 2, state, lastState }] })?.reason,
    ).toBe('CrashLoopBackOff: StartError with exit code 128: exec: "/bin/none": no such file or directory');
  });

  test.each([
    ["a container that is being made", waiting("ContainerCreating"), "ContainerCreating"],
    ["a process that is not ready yet", waiting(), "not ready"],
  ])("%s may go on", (_what, status, reason) => {
    expect(troubleIn(status)).toEqual({ pod, container, reason, ended: false, lasting: false });
  });

  test("a pod without a node may get one", () => {
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "Insufficient cpu" };
    const reason = "Unschedulable: Insufficient cpu";
    expect(troubleIn({ conditions: [condition] })).toEqual({ pod, reason, ended: false, lasting: false });
  });

  test("pods that cannot be made at all", () => {
    const conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" }];
    const deployment = deploymentAt({ status: { ...rolledOut, conditions } });
    expect(troubleOf(deployment, [])).toEqual({ reason: "FailedCreate: exceeded quota", ended: false, lasting: true });
  });

  test("what lasts is told before what may go on; an init container that has ended well and a ready container are none", () => {
    const done = { name: "fetch", ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } };
    const ready = { name: container, ready: true, restartCount: 1 };
    expect(troubleIn({ initContainerStatuses: [done], containerStatuses: [ready] }, {})).toBeUndefined();
    expect(troubleIn(waiting(), waiting("ErrImagePull"))?.reason).toBe("ErrImagePull");
  });
});

test("progress counts the new pods apart from the old ones", () => {
  const status = { observedGeneration: 2, replicas: 3, updatedReplicas: 1, availableReplicas: 3 };
  expect(progressOf(deploymentAt({ status }))).toBe("1 of 2 new pods are ready, 2 of the earlier version left");
  expect(progressOf(deploymentAt({ status: {} }))).toBe("the change is not yet seen by the cluster's controller");
  expect(progressOf(deploymentAt({}))).toBe("2 of 2 new pods are ready");
});
