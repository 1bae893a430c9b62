import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { FleetError } from "../../../runtime/errors.ts";
import type { FleetClient } from "../../../runtime/registry/fleet.ts";
import { maxOfFleet, maxOfOwner, ResourceSubscriptions } from "../../../runtime/registry/resource-subscriptions.ts";

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

test("one client cannot have more subscriptions than its bound, and all together not more than the fleet's", () => {
  const subscriptions = new ResourceSubscriptions();
  const client = (owner: string) => ({ owner, caller: undefined });
  const fill = (owner: string) => {
    for (let at = 0; at < maxOfOwner; at += 1) subscriptions.add(`x://${at}`, client(owner), () => {});
  };
  fill("anna");
  const text = "Invalid params: one client can subscribe to 1000 resources of a server; unsubscribe from others first";
  expect(() => subscriptions.add("x://more", anna, () => {})).toThrow(text);
  expect(subscriptions.add("x://0", anna, () => {})).toBe(false);
  subscriptions.remove("x://0", "anna");
  expect(subscriptions.add("x://more", anna, () => {})).toBe(true);
  for (let owner = 1; owner < maxOfFleet / maxOfOwner; owner += 1) fill(`owner ${owner}`);
  expect(subscriptions.size).toBe(maxOfFleet);
  expect(() => subscriptions.add("x://0", bert, () => {})).toThrow(
    "clients have 100000 subscriptions to this server's resources",
  );
  for (const { uri } of subscriptions.of("owner 1")) subscriptions.remove(uri, "owner 1");
  expect([subscriptions.size, subscriptions.of("owner 1")]).toEqual([maxOfFleet - maxOfOwner, []]);
  expect(() => subscriptions.add("x".repeat(8001), bert, () => {})).toThrow('"uri" has more than 8000 characters');
});

test("a resource is part of what its URI begins with, up to a slash", () => {
  const uri = fc.array(fc.constantFrom("a", "b", "/"), { maxLength: 8 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(uri, uri, (wanted, updated) => {
      const subscriptions = new ResourceSubscriptions();
      let heard = 0;
      subscriptions.add(wanted, anna, () => {
        heard += 1;
      });
      subscriptions.updated({ uri: updated }, () => true);
      const part = updated.startsWith(wanted.endsWith("/") ? wanted : `${wanted}/`);
      expect(heard).toBe(updated === wanted || part ? 1 : 0);
    }),
    { seed: 23, numRuns: 2000 },
  );
});

test("one caller with many sessions leaves half of the subscriptions to others, and gets its own back", () => {
  const subscriptions = new ResourceSubscriptions();
  const add = (caller: string, at: number) =>
    subscriptions.add(`x://${at}`, { owner: `${caller} ${Math.floor(at / maxOfOwner)}`, caller }, () => {});
  for (let at = 0; at < maxOfFleet / 2; at += 1) add("alice", at);
  expect(() => add("alice", maxOfFleet / 2)).toThrow(
    new FleetError(
      "OVERLOADED",
      "this caller has 50000 subscriptions to this server's resources, and no more are free; unsubscribe from others first",
    ),
  );
  for (let at = 0; at < maxOfFleet / 4; at += 1) add("bob", at);
  expect(() => add("bob", maxOfFleet / 4)).toThrow("this caller has 25000 subscriptions");
  // What is there already is no other one.
  expect(add("bob", 0)).toBe(false);
  for (let at = 0; at < maxOfFleet / 2; at += 1)
    subscriptions.remove(`x://${at}`, `alice ${Math.floor(at / maxOfOwner)}`);
  expect([subscriptions.size, add("alice", 0)]).toEqual([maxOfFleet / 4, true]);
});
