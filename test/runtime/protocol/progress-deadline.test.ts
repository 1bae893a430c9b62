import { expect, test } from "@jest/globals";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import { ProgressDeadline } from "../../../runtime/protocol/progress-deadline.ts";

let time = 0;
const begun = (requestMs: number, maxRequestMs: number): Exchange => {
  time = 1000;
  const exchange = new Exchange(requestMs);
  exchange.deadline = 1000 + requestMs;
  exchange.progress = new ProgressDeadline({ requestMs, maxRequestMs }, 1000, () => time);
  return exchange;
};
const progress = (exchange: Exchange, token: number) =>
  exchange.heard("notifications/progress", { progressToken: token, progress: 1 }, 7, "client's");

test("each progress begins the time of a call again", () => {
  const exchange = begun(100, 1000);
  expect(exchange.endsAt).toBe(1100);
  time = 1090;
  progress(exchange, 7);
  time = 1100;
  expect([exchange.endsAt, exchange.overtimeMs()]).toEqual([1190, 90]);
  time = 1190;
  expect(exchange.overtimeMs()).toBe(0);
  expect(exchange.expired("search").message).toBe(
    "search: neither answer nor progress within 100 ms; raise timeouts.requestMs of this server, or ask for less in one call",
  );
});

test("no progress extends a call beyond its bound", () => {
  const exchange = begun(100, 150);
  time = 1099;
  progress(exchange, 7);
  expect(exchange.endsAt).toBe(1150);
  time = 1149;
  progress(exchange, 7);
  time = 1150;
  expect(exchange.overtimeMs()).toBe(0);
  expect(exchange.expired("search").message).toBe(
    "search: progress, but no answer within 150 ms; raise timeouts.maxRequestMs of this server, or ask for less in one call",
  );
});

test("progress of another call, and a log line, extend nothing", () => {
  const exchange = begun(100, 1000);
  time = 1050;
  progress(exchange, 8);
  exchange.heard("notifications/message", { level: "info", data: "at work" }, 7, "client's");
  expect(exchange.endsAt).toBe(1100);
});

test("a repeated attempt has the time that the first one's progress has won", () => {
  const exchange = begun(100, 1000);
  time = 1050;
  progress(exchange.attempt(), 7);
  expect([exchange.endsAt, exchange.attempt().endsAt]).toEqual([1150, 1150]);
});

test("a bound below the usual time of a call shortens none", () => {
  expect(begun(100, 50).endsAt).toBe(1100);
});
