import { expect, test } from "@jest/globals";
import { FleetError } from "../../runtime/errors.ts";
import { startLog } from "../../runtime/observability/logger.ts";
import { withoutSecrets } from "../../runtime/secret-guard.ts";

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
