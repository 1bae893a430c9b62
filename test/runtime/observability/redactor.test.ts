import { expect, test } from "@jest/globals";
import { Redactor } from "../../../runtime/observability/redactor.ts";

const secret = 'can/ary "key"+ü#1';
const redactor = new Redactor(() => [secret, ""]);

test.each([
  ["as it is", secret],
  ["escaped in JSON", JSON.stringify(secret).slice(1, -1)],
  ["escaped twice", JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
  ["percent-encoded", encodeURIComponent(secret)],
  ["percent-encoded in lower case", encodeURIComponent(secret).replace(/%../g, (octet) => octet.toLowerCase())],
  ["escaped in JSON of ASCII", JSON.stringify(secret).slice(1, -1).replace("ü", "\\u00fc")],
  ["form-encoded", new URLSearchParams({ k: secret }).toString().slice(2)],
])("a secret %s is taken out", (_how, text) => {
  expect(redactor.clean(`a ${text} z ${text}`)).toBe("a [redacted] z [redacted]");
});

test.each(["", "u:", "us:", "use:", "user:"])(
  "a secret in Base64 behind %j is taken out, in both alphabets",
  (before) => {
    for (const encoding of ["base64", "base64url"] as const) {
      for (const behind of ["", "!", "??"]) {
        const clean = redactor.clean(Buffer.from(before + secret + behind).toString(encoding));
        expect(clean).toContain("[redacted]");
        // What is left around it is less than one could guess a secret from.
        expect(clean.replace("[redacted]", "").length).toBeLessThanOrEqual(
          Math.ceil(((before + behind).length * 8) / 6) + 5,
        );
      }
    }
  },
);

test("a secret that is a host's name is taken out in lower case too", () => {
  expect(new Redactor(() => ["Canary-Key-1"]).clean("getaddrinfo ENOTFOUND canary-key-1.example")).toBe(
    "getaddrinfo ENOTFOUND [redacted].example",
  );
});

test("secrets of before are still taken out, in a bounded number", () => {
  let current = ["first-secret"];
  const changing = new Redactor(() => current);
  expect(changing.clean("first-secret")).toBe("[redacted]");
  current = ["second-secret"];
  expect(changing.clean("first-secret second-secret")).toBe("[redacted] [redacted]");
  for (let count = 0; count < 600; count += 1) {
    current = [`secret-number-${count}-`];
    changing.clean("");
  }
  expect(changing.clean("first-secret secret-number-599- secret-number-99-")).toBe(
    "first-secret [redacted] [redacted]",
  );
});
