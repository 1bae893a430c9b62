import { expect, test } from "@jest/globals";
import { EraVerdict, eraOf } from "../../../runtime/upstreams/era-verdict.ts";

test("a verdict of the session era is believed for ten minutes, or until the server is lost", () => {
  let time = 0;
  const verdict = new EraVerdict(() => time);
  expect(verdict.legacy).toBe(false);
  verdict.reached({ modern: false });
  time = 10 * 60_000 - 1;
  expect(verdict.legacy).toBe(true);
  time += 1;
  expect(verdict.legacy).toBe(false);
  verdict.reached({ modern: false });
  verdict.forget();
  expect(verdict.legacy).toBe(false);
});

test("only a clear sign makes a server one of the stateless era", () => {
  const result = { supportedVersions: ["2026-07-28"], capabilities: { tools: {} } };
  expect(eraOf({ result })).toEqual({ modern: true, discovered: result });
  expect(eraOf({ result: { supportedVersions: ["2099-01-01"] } })).toEqual({ modern: false });
  expect(eraOf({ error: { code: -32601, message: "Method not found" } })).toEqual({ modern: false });
  expect(eraOf({ error: { code: -32022, message: "Unsupported protocol version" } })).toBe(
    "modern, but of no known revision",
  );
});
