import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import { networkOf } from "../../../runtime/security/network.ts";
import { Proxies } from "../../../runtime/security/proxies.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1::1", "2001:db8:1:0::/64"],
  ["2001:DB8:1::1", "2001:db8:1:0::/64"],
  ["2001:db8:1:0::ffff", "2001:db8:1:0::/64"],
  ["2001:0db8:0001:0000:a:b:c:d", "2001:db8:1:0::/64"],
  ["2001:db8:1:1::1", "2001:db8:1:1::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:C000:0201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
  ["64:ff9b::192.0.2.1", "192.0.2.1"],
  ["no address", "no address"],
  ["a:b", "a:b"],
  ["", ""],
])("%s is counted as %s, however it is written", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["192.0.2.7:4711", "192.0.2.7"],
  ["[2001:DB8::1]:4711", "2001:db8:0:0:0:0:0:1"],
  ["::ffff:c000:0207", "192.0.2.7"],
  ["192.0.2.7, 10.0.0.2", "192.0.2.7"],
  ["192.0.2.7, ::FFFF:10.0.0.2", "192.0.2.7"],
  ["nonsense", "10.0.0.1"],
])("behind a trusted proxy that forwards %j a request comes from %s", (forwarded, address) => {
  const proxies = new Proxies(["10.0.0.0/8"]);
  const request = { socket: { remoteAddress: "::ffff:10.0.0.1" }, headers: { "x-forwarded-for": forwarded } };
  expect(proxies.addressOf(request as unknown as IncomingMessage)).toBe(address);
});
