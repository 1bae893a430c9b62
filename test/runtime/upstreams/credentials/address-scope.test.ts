import { expect, test } from "@jest/globals";
import { bareHost } from "../../../../runtime/host-name.ts";
import { literal, nearest, Scope, scopeOf } from "../../../../runtime/upstreams/credentials/address-scope.ts";

test.each<[Scope, string[]]>([
  [Scope.Loopback, ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]],
  [Scope.Link, ["169.254.169.254", "fe80::1%eth0", "::ffff:a9fe:a9fe", "224.0.0.1", "255.255.255.255", "ff02::1"]],
  [Scope.Private, ["10.0.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"]],
  [Scope.Public, ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]],
])("scope %d: %j", (scope, addresses) => {
  expect(addresses.map((address) => [address, scopeOf(address)])).toEqual(addresses.map((address) => [address, scope]));
});

test("the nearest address of a host decides, and a host without any is everywhere", () => {
  expect([nearest(["1.1.1.1", "10.0.0.1"]), nearest([])]).toEqual([Scope.Private, Scope.Public]);
  expect([literal("[::1]"), literal("10.0.0.1"), literal("example.org")]).toEqual(["::1", "10.0.0.1", undefined]);
  expect(bareHost("[fd00::1]")).toBe("fd00::1");
});
