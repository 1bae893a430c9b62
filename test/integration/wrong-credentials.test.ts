import { afterEach, expect, test } from "@jest/globals";
import { Agent, request } from "undici";
import type { Auth } from "../../runtime/config/schema/index.ts";
import { hashPassword } from "../../runtime/security/passwords.ts";
import { digestOf } from "../../runtime/security/secret-table.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { Serving } from "../support/serving.ts";

// A balancer on this machine says where requests come from. Each request has a connection of its own, so that any worker may get it.
const dispatcher = new Agent({ pipelining: 0 });
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const connections = { trustedProxies: ["127.0.0.1"] };
const status = async (url: string, authorization: string, from: string): Promise<number> => {
  const headers = { authorization, "x-forwarded-for": from };
  const { statusCode, body } = await request(`${url}/api/v1/servers`, { headers, dispatcher });
  await body.dump();
  return statusCode;
};
const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
const counts = (statuses: readonly number[]) =>
  Object.fromEntries([200, 401, 429, 503].map((code) => [code, statuses.filter((one) => one === code).length]));

test("seventy wrong passwords at once from one address: no more tries than allowed, and a right one from elsewhere comes in", async () => {
  const cost = { N: 2 ** 14, r: 8, p: 1 };
  const auth: Auth = { basic: [{ name: "carl", hash: await hashPassword("right", cost) }], maxFailuresPerMinute: 10 };
  const it = await TestGateway.start({ gateway: { auth, connections }, servers: { notes: statefulServer() } });
  ends.push(() => it.close());
  const flood = Array.from({ length: 70 }, (_, index) =>
    status(it.url, basic("carl", `wrong-${index}`), "2001:db8::1"),
  );
  expect(await status(it.url, basic("carl", "right"), "192.0.2.7")).toBe(200);
  const seen = counts(await Promise.all(flood));
  // One is checked and four wait; a request that comes while one of these is checked is not one of the seventy.
  expect(seen[200]).toBe(0);
  expect(seen[401]).toBeGreaterThan(0);
  expect(seen[401]).toBeLessThanOrEqual(10);
  expect((seen[401] ?? 0) + (seen[429] ?? 0) + (seen[503] ?? 0)).toBe(70);
  const rest = [];
  for (let index = 0; index < 12; index += 1)
    rest.push(await status(it.url, basic("carl", `more-${index}`), "2001:DB8::2"));
  // Whatever the address is called, and whichever of its /64: ten in all.
  expect((seen[401] ?? 0) + (counts(rest)[401] ?? 0)).toBe(10);
  expect(await status(it.url, basic("carl", "right"), "192.0.2.7")).toBe(200);
});

test("wrong credentials are counted over all workers, by /64 of an IPv6 address", async () => {
  const auth: Auth = { bearerTokens: [{ name: "ci", hash: `sha256:${digestOf("right")}` }], maxFailuresPerMinute: 3 };
  const serving = await Serving.start(
    { gateway: { workers: 2, auth, connections, log: { level: "info" } }, servers: { notes: statefulServer() } },
    "workers serve",
  );
  ends.push(() => serving.stop());
  const statuses = [];
  for (let index = 0; index < 20; index += 1) {
    statuses.push(await status(serving.url, `Bearer wrong-${index}`, `2001:db8:1::${index.toString(16)}`));
    // The other worker hears of it by a message, which takes less than a millisecond where nothing else runs.
    if (index < 4) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(counts(statuses)).toEqual({ 200: 0, 401: 3, 429: 17, 503: 0 });
  expect(await status(serving.url, "Bearer right", "2001:db8:2::1")).toBe(200);
});
