import { expect, test } from "@jest/globals";
import { inheritedSocket } from "../../../runtime/listeners/inherited-socket.ts";

test("a socket is this process's if the service manager says so", () => {
  expect(inheritedSocket({ LISTEN_PID: "7", LISTEN_FDS: "1" }, 7)).toBe(3);
  expect(inheritedSocket({ LISTEN_PID: "7", LISTEN_FDS: "1" }, 8)).toBeUndefined();
  expect(inheritedSocket({ LISTEN_FDS: "1" }, 8)).toBeUndefined();
  expect(inheritedSocket({}, 8)).toBeUndefined();
});

test("several sockets are refused: the gateway has one port", () => {
  expect(() => inheritedSocket({ LISTEN_PID: "7", LISTEN_FDS: "2" }, 7)).toThrow(
    "LISTEN_FDS: is 2, but the gateway takes one socket; keep one ListenStream= in its socket unit",
  );
});
