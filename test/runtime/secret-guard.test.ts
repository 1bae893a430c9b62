import { expect, test } from "@jest/globals";
import { FleetError } from "../../runtime/errors.ts";
import { startLog } from "../../runtime/observability/logger.ts";
import { Tail } from "../../runtime/orchestrator/tail.ts";
import { excerpt, withoutSecrets } from "../../runtime/secret-guard.ts";

test("while a gateway's log is open its secrets are in no error, and several gateways keep each other's", async () => {
  const settings = { level: "silent", maxBytes: 1000, maxFiles: 1 };
  const one = startLog(settings, () => ["secret-of-one"]);
  const two = startLog(settings, () => ["secret-of-two"]);
  const text = "getaddrinfo ENOTFOUND secret-of-one.example, secret-of-two";
  expect(new FleetError("UPSTREAM_UNREACHABLE", text).message).toBe(
    "getaddrinfo ENOTFOUND [redacted].example, [redacted]",
  );
  await one.close();
  expect(withoutSecrets(text)).toBe("getaddrinfo ENOTFOUND secret-of-one.example, [redacted]");
  await two.close();
  expect(new FleetError("UPSTREAM_UNREACHABLE", text).message).toBe(text);
});

test("a secret at the end of an excerpt or of a line is not shown in half", async () => {
  const secret = "canary-secret-at-the-border";
  const log = startLog({ level: "silent", maxBytes: 1000, maxFiles: 1 }, () => [secret]);
  const heard: string[] = [];
  const tail = new Tail((line) => heard.push(line));
  tail.push(Buffer.from(`${"x".repeat(490)}${secret}`));
  expect(tail.text).toBe(`${"x".repeat(490)}[redacted]`);
  tail.push(Buffer.from(`${"y".repeat(9000)}\n`));
  expect([heard, excerpt(`${"z".repeat(195)}${secret}`, 200)]).toEqual([
    [`${"x".repeat(490)}[redacted]`],
    `${"z".repeat(195)}[reda`,
  ]);
  await log.close();
});
