import { expect } from "@jest/globals";
import { InputError, MonitoringStack, type MonitoringStackArgs } from "../../index.ts";
import { type Cloud, type GraphNode, graphOf } from "./graph.ts";

/** Expects that a MonitoringStack with these arguments is refused with this problem before anything of it is made. */
export async function expectRefused(args: MonitoringStackArgs, problem: string, cloud?: Cloud): Promise<void> {
  const registered: GraphNode[] = [];
  const error = await graphOf(() => new MonitoringStack("watch", args), registered, cloud).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toContain(`MonitoringStack "watch": ${problem}`);
  expect(registered.filter(({ parent }) => parent === "watch")).toEqual([]);
}
