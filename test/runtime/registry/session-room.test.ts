import { expect, test } from "@jest/globals";
import { SessionRoom } from "../../../runtime/registry/session-room.ts";

function roomWith(sessions: number): SessionRoom {
  const room = new SessionRoom();
  for (let count = 0; count < sessions; count += 1) room.began();
  return room;
}

test("an instance that has said nothing has room", () => {
  expect(roomWith(1000).full).toBe(false);
});

test("what it told is counted on with the sessions that come and go", () => {
  const room = roomWith(2);
  room.told(1, 2);
  expect(room.full).toBe(false);
  room.began();
  expect(room.full).toBe(true);
  room.ended();
  expect(room.full).toBe(false);
});

test("a session that ended while it was asked does not make it full", () => {
  const room = roomWith(2);
  room.ended();
  // Its report can be from before or after.
  room.told(0, 2);
  expect(room.full).toBe(false);
});

test("one that refused is full without the refused session, until another one ends or a second has passed", () => {
  const room = roomWith(3);
  room.refused(100);
  room.ended();
  expect(room.full).toBe(true);
  room.tend(1099);
  expect(room.full).toBe(true);
  room.ended();
  expect(room.full).toBe(false);
  room.began();
  room.tend(1100);
  expect(room.full).toBe(false);
});

test("what it tells after a refusal holds", () => {
  const room = roomWith(1);
  room.refused(0);
  room.told(0, 1);
  room.tend(10_000);
  expect(room.full).toBe(true);
  room.forget();
  expect(room.full).toBe(false);
});
