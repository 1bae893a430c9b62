import { expect, test } from "@jest/globals";
import type { FleetClient } from "../../../runtime/registry/fleet.ts";
import { ResourceSubscriptions } from "../../../runtime/registry/resource-subscriptions.ts";

const [anna, bert] = ["anna", "bert"].map((owner) => ({ owner, caller: undefined })) as [FleetClient, FleetClient];

test("a session hears of a thousand resources at most; another one is not touched, and one less makes room", () => {
  const subscriptions = new ResourceSubscriptions();
  for (let index = 0; index < 1000; index += 1) subscriptions.add(`file:///${index}`, anna, () => {});
  const full = "Invalid params: 1000 resources are subscribed to; unsubscribe from one first";
  expect(() => subscriptions.checkRoom("file:///more", anna)).toThrow(full);
  expect(() => subscriptions.checkRoom("file:///0", anna)).not.toThrow();
  expect(() => subscriptions.checkRoom("file:///more", bert)).not.toThrow();
  subscriptions.add("file:///0", anna, () => {});
  subscriptions.remove("file:///0", "bert");
  expect(() => subscriptions.checkRoom("file:///more", anna)).toThrow(full);
  subscriptions.remove("file:///0", "anna");
  expect(() => subscriptions.checkRoom("file:///more", anna)).not.toThrow();
  const long = 'Invalid params: "uri" has 4097 characters; send at most 4096';
  expect(() => subscriptions.checkRoom("a".repeat(4097), anna)).toThrow(long);
});

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
