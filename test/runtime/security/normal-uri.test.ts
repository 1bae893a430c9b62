import { expect, test } from "@jest/globals";
import { ambiguityOf, normalUri } from "../../../runtime/security/normal-uri.ts";

test.each([
  // Case of scheme and host (RFC 3986, 6.2.2.1); user, path and query keep theirs.
  ["X://Priv/B?Q#F", "x://priv/B?Q#F"],
  ["x://User@Host/A", "x://User@host/A"],
  ["URN:Priv:b", "urn:Priv:b"],
  // Percent-encoding (6.2.2.1, 6.2.2.2).
  ["x://pri%76/%7euser/%2fa%2F", "x://priv/~user/%2Fa%2F"],
  ["x://pub/%C3%a9 é|", "x://pub/%C3%A9%20%C3%A9%7C"],
  ["x://pub/{id}/*", "x://pub/%7Bid%7D/*"],
  // Dot segments (6.2.2.3, 5.2.4), encoded ones too.
  ["x://pub/../priv/b", "x://pub/priv/b"],
  ["x://h/pub/../priv/./b", "x://h/priv/b"],
  ["x://h/pub/%2e%2E/priv/b", "x://h/priv/b"],
  ["x://h/../../a/..", "x://h/"],
  ["x://h/a/.", "x://h/a/"],
  ["file:///a/b/../../etc/passwd", "file:///etc/passwd"],
  ["x:pub/../priv/b", "x:priv/b"],
  ["x://h/a...b/.hidden", "x://h/a...b/.hidden"],
  // Ports that say nothing, the empty path (6.2.3).
  ["https://Host:443", "https://host/"],
  ["http://host:443/a", "http://host:443/a"],
  ["https://[2001:DB8::1]:443/a", "https://[2001:db8::1]/a"],
  ["x://host:/a", "x://host/a"],
  // What is no URI has a form all the same.
  ["notes.txt", "notes.txt"],
  ["", ""],
  ["x://h/a\ud800", "x://h/a%EF%BF%BD"],
])("%j compares as %j", (uri, normal) => {
  expect(normalUri(uri)).toBe(normal);
  expect(normalUri(normalUri(uri))).toBe(normalUri(uri));
});

test.each([
  ["x://pub/a", undefined],
  ["x://pub/owner%2Fname", undefined],
  ["x://h/pub/../priv/b", undefined],
  ["x://h/a/./../b/..", undefined],
  ["x://h/a%20b?q=..%2F", undefined],
  ["priv/b", "has no scheme"],
  ["x://priv/b#", "has a fragment; leave it out"],
  ["//priv/b", "has no scheme"],
  ["x:\\\\priv\\b", "has a backslash; write a slash"],
  ["x://priv/100%", "has a percent sign that encodes nothing; write %25"],
  ["x://h/pub/..%2Fpriv/b", "has dot segments beside an encoded slash"],
  ["x://h/pub/%2e%2e%5cpriv/b", "has dot segments beside an encoded slash"],
  // Who takes the host for a folder would find x://priv/b.
  ["x://pub/../priv/b", "has dot segments that lead above its root"],
  ["x://pub/%2e%2e/priv/b", "has dot segments that lead above its root"],
  ["x://h/a/../../b", "has dot segments that lead above its root"],
  ["x:../a", "has dot segments that lead above its root"],
  ["x:..%2Fpriv", "has dot segments beside an encoded slash"],
])("the ambiguity of %j: %s", (uri, ambiguity) => {
  expect(ambiguityOf(uri)).toBe(ambiguity);
});
