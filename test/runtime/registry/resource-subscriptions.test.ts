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

test("one owner hears of a thousand resources of a server; all owners together of a hundred thousand", () => {
  const subscriptions = new ResourceSubscriptions();
  const add = (uri: string, client: FleetClient) => {
    subscriptions.admit(uri, client.owner);
    subscriptions.add(uri, client, () => {});
  };
  for (let at = 0; at < 1000; at += 1) add(`x://${at}`, anna);
  const full = "1000 resources of this server are subscribed to; unsubscribe from one before you subscribe to another";
  expect(() => add("x://1000", anna)).toThrow(full);
  // The same one again is none more, and another owner is not held up.
  add("x://0", anna);
  add("x://1000", bert);
  expect(subscriptions.use).toEqual({ size: 1001, max: 100_000 });
  subscriptions.remove("x://7", "anna");
  add("x://1000", anna);
  for (let owner = 0; owner < 99; owner += 1) {
    const client: FleetClient = { owner: `owner-${owner}`, caller: undefined };
    for (let at = 0; at < (owner === 98 ? 999 : 1000); at += 1) add(`x://${at}`, client);
  }
  expect(subscriptions.use).toEqual({ size: 100_000, max: 100_000 });
  const allFull = "100000 resources of this server are subscribed to, which is the bound; try again later";
  expect(() => add("x://2000", bert)).toThrow(allFull);
});
