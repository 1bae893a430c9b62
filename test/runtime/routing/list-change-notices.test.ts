import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { ListChangeNotices } from "../../../runtime/routing/list-change-notices.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test("changes that come together are told once per kind", () => {
  const told: unknown[] = [];
  const notices = new ListChangeNotices((kind, servers) => told.push([kind, ...servers]));
  for (let time = 0; time < 50; time += 1) notices.add({ server: "a", kind: "tools" });
  notices.add({ server: "b", kind: "tools" });
  notices.add({ server: "a", kind: "prompts" });
  expect(told).toEqual([]);
  jest.advanceTimersByTime(100);
  notices.add({ server: "a", kind: "tools" });
  jest.advanceTimersByTime(100);
  expect(told).toEqual([
    ["tools", "a", "b"],
    ["prompts", "a"],
    ["tools", "a"],
  ]);
});
