import { expect, test } from "@jest/globals";
import { Roster } from "../../../runtime/workers/roster.ts";

const sockets = { "-1": "/s", 0: "/0", 1: "/1", 2: "/2" };
const rosters = () =>
  [0, 1, 2].map((slot) => {
    const roster = new Roster(slot, `/${slot}`);
    roster.update(sockets);
    return roster;
  });
const ids = Array.from({ length: 3000 }, (_, index) => `session-${index}`);

test("a session's owner is the worker that its id names, as long as that serves", () => {
  expect(rosters().map((roster) => roster.ownerOf(1, "a"))).toEqual([1, 1, 1]);
});

test("when that has gone all others agree on one, and share out its sessions", () => {
  const [first, , third] = rosters() as [Roster, Roster, Roster];
  const { 1: _gone, ...rest } = sockets;
  for (const roster of [first, third]) roster.update(rest);
  const owners = ids.map((id) => first.ownerOf(1, id));
  expect(ids.map((id) => third.ownerOf(1, id))).toEqual(owners);
  expect(new Set(owners)).toEqual(new Set([0, 2]));
  // A fair coin is further off than this once in a million runs; the names are fixed.
  expect(Math.abs(owners.filter((owner) => owner === 0).length - 1500)).toBeLessThan(140);
  first.update(sockets);
  expect(first.ownerOf(1, "a")).toBe(1);
});

test("the supervisor owns no session, and a slot beyond those there are is somebody's", () => {
  const [first] = rosters() as [Roster];
  expect(new Set(ids.map((id) => first.ownerOf(7, id)))).toEqual(new Set([0, 1, 2]));
});

test("a socket at which nobody listens is forgotten, but not the one that has taken its place", () => {
  const [first] = rosters() as [Roster];
  first.lost(1, "/1");
  expect([first.socketOf(1), first.workers]).toEqual([undefined, ["/2"]]);
  first.update({ ...sockets, 1: "/1-new" });
  first.lost(1, "/1");
  expect([first.socketOf(1), first.workers]).toEqual(["/1-new", ["/1-new", "/2"]]);
});

test("a worker that the others are not told of yet keeps what it takes over in the meantime", () => {
  const fresh = new Roster(1, "/1-new");
  fresh.update({ "-1": "/s" });
  expect([fresh.ownerOf(0, "a"), fresh.socketOf(1)]).toEqual([1, "/1-new"]);
});
