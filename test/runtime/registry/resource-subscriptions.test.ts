import { expect, test } from "@jest/globals";
import type { FleetClient } from "../../../runtime/registry/fleet.ts";
import { ResourceSubscriptions } from "../../../runtime/registry/resource-subscriptions.ts";

const [anna, bert] = ["anna", "bert"].map((owner) => ({ owner, caller: undefined })) as [FleetClient, FleetClient];

test("only those hear of a resource who asked for it or for what it is part of", () => {
  const subscriptions = new ResourceSubscriptions();
  const heard: string[] = [];
  const listener = (who: string) => (about: Record<string, unknown>) => heard.push(`${who} ${about.uri}`);
  subscriptions.add("file:///a", anna, listener("anna"));
  subscriptions.add("file:///a", bert, listener("bert"));
  subscriptions.add("file:///b", anna, listener("anna"));
  for (const uri of ["file:///a", "file:///a/part", "file:///ab"]) subscriptions.updated({ uri }, () => true);
  subscriptions.updated({ uri: "file:///a" }, (client) => client === bert);
  expect(heard).toEqual([
    ...["anna file:///a", "bert file:///a", "anna file:///a/part", "bert file:///a/part", "bert file:///a"],
  ]);
  expect(subscriptions.of("anna")).toEqual([
    { uri: "file:///a", client: anna },
    { uri: "file:///b", client: anna },
  ]);
  expect(subscriptions.all()).toEqual([
    { uri: "file:///a", client: bert },
    { uri: "file:///b", client: anna },
  ]);
  expect([subscriptions.remove("file:///a", "anna"), subscriptions.remove("file:///a", "bert")]).toEqual([true, false]);
  expect(subscriptions.all()).toEqual([{ uri: "file:///b", client: anna }]);
});
