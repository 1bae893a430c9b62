import { expect } from "@jest/globals";
import { testWith } from "../support/needs.ts";
import { busyHour } from "./hour.ts";

// Half a minute of the long run that `npm run busy-hour` is.
testWith("the Python clients and servers")(
  "clients come to ten real servers, work and go, half of them without a word: no call fails, nothing is left",
  async () => {
    const { problems, visits, killed, restarts } = await busyHour({
      minutes: 0.5,
      clients: 10,
      blockSeconds: 4,
      pauseMs: 2000,
      idleMs: 12_000,
      leavesParked: false,
      seed: 17,
      log: () => {},
    });
    expect(problems).toEqual([]);
    expect(visits.ended).toBeGreaterThan(0);
    expect(visits.left + visits.dropped).toBeGreaterThan(0);
    expect([killed, Object.keys(restarts).length]).toEqual([0, 10]);
  },
  5 * 60_000,
);
