import { expect, jest, test } from "@jest/globals";
import { ServiceManager, type ServiceState } from "../../../runtime/cli/service-manager.ts";

function managed(env: NodeJS.ProcessEnv): { manager: ServiceManager; told: ServiceState[] } {
  const told: ServiceState[] = [];
  return { manager: new ServiceManager(env, (state) => told.push(state)), told };
}

test("a service manager is told of the service, where it wants to know", () => {
  const { manager, told } = managed({ NOTIFY_SOCKET: "/run/systemd/notify" });
  manager.tell("READY=1");
  manager.tell("STOPPING=1");
  expect(told).toEqual(["READY=1", "STOPPING=1"]);
});

test("and nothing where nobody asks", () => {
  const { manager, told } = managed({});
  manager.tell("READY=1");
  manager.tellReadyWhen(() => true);
  expect(told).toEqual([]);
});

test("it is told once that the service is ready, not before it is", () => {
  jest.useFakeTimers();
  const { manager, told } = managed({ NOTIFY_SOCKET: "/run/systemd/notify" });
  let ready = false;
  manager.tellReadyWhen(() => ready);
  jest.advanceTimersByTime(1000);
  expect(told).toEqual([]);
  ready = true;
  jest.advanceTimersByTime(1000);
  expect(told).toEqual(["READY=1"]);
  jest.useRealTimers();
});
