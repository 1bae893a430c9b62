/**
 * Requests with random credentials, and a million checks without HTTP around them, against a gateway with every kind of authentication that needs no other server:
 * `node test/bench/random-credentials.ts [requests]`. Prints what was accepted, the memory, and the time that unknown
 * and almost right credentials take.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { resolveConfig } from "../../runtime/config/index.ts";
import { startGateway } from "../../runtime/gateway.ts";
import { Authenticator } from "../../runtime/security/authenticator.ts";
import { hashPassword } from "../../runtime/security/passwords.ts";

const total = Number(process.argv[2] ?? 1_000_000);
const right = Array.from({ length: 20 }, () => randomBytes(32).toString("base64url"));
const password = await hashPassword("right", { N: 1024, r: 8, p: 1 });
const auth = {
  bearerTokens: right.map((token, index) => ({ name: `t${index}`, token })),
  apiKeys: right.map((token, index) => ({ name: `k${index}`, key: `k-${token}` })),
  basic: [{ name: "ann", hash: password }],
};
const config = resolveConfig({
  gateway: { port: 0, log: { level: "silent" }, auth },
  servers: { none: { type: "custom", endpoints: ["http://127.0.0.1:9/mcp"], scaling: { minInstances: 0 } } },
});
const gateway = await startGateway({ config });
const pool = new Pool(gateway.url as string, { connections: 32 });

const random = () => randomBytes(32).toString("base64url");
/** A right one with its last character changed. */
const almost = () => {
  const token = right[Math.floor(Math.random() * right.length)] as string;
  return `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
};
const kinds: Record<string, () => Record<string, string>> = {
  "bearer, unknown": () => ({ authorization: `Bearer ${random()}` }),
  "bearer, almost right": () => ({ authorization: `Bearer ${almost()}` }),
  "key, unknown": () => ({ "x-api-key": `k-${random()}` }),
  "key, almost right": () => ({ "x-api-key": `k-${almost()}` }),
  "no scheme": () => ({ authorization: random() }),
  "a JWT of nobody": () => ({ authorization: `Bearer ${random()}.${random()}.${random()}` }),
};
const names = Object.keys(kinds);

let sent = 0;
let accepted = 0;
const statuses = new Map<number, number>();
const memory: number[] = [];
const began = performance.now();
const ask = async () => {
  while (sent < total) {
    const headers = (kinds[names[sent % names.length] as string] as () => Record<string, string>)();
    sent += 1;
    if (sent % Math.ceil(total / 10) === 0) memory.push(Math.round(process.memoryUsage().rss / 2 ** 20));
    const { statusCode, body } = await pool.request({ method: "GET", path: "/api/v1/servers", headers });
    await body.dump();
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    if (statusCode < 400) accepted += 1;
  }
};
await Promise.all(Array.from({ length: 32 }, ask));
const seconds = (performance.now() - began) / 1000;
const control = await pool.request({
  path: "/api/v1/servers",
  method: "GET",
  headers: { authorization: `Bearer ${right[0]}` },
});
await control.body.dump();
await pool.close();
await gateway.close();

/** The same without HTTP around it, which is where most of the time goes. */
const direct = new Authenticator(auth);
let directAccepted = 0;
for (let index = 0; index < 1_000_000; index += 1) {
  const headers = (kinds[names[index % names.length] as string] as () => Record<string, string>)();
  try {
    direct.identify({ headers, socket: {} } as unknown as IncomingMessage);
    directAccepted += 1;
  } catch {
    // Refused, as it must be.
  }
}
memory.push(Math.round(process.memoryUsage().rss / 2 ** 20));

/** Median nanoseconds of one check, by kind, in rounds that take turns. */
const authenticator = new Authenticator(auth);
const medians = new Map<string, number[]>();
for (let round = 0; round < 400; round += 1) {
  for (const name of names.slice(0, 4)) {
    const requests = Array.from({ length: 200 }, () => {
      const headers = (kinds[name] as () => Record<string, string>)();
      return { headers, socket: {} } as unknown as IncomingMessage;
    });
    const from = process.hrtime.bigint();
    for (const request of requests) {
      try {
        authenticator.identify(request);
        throw new Error("accepted");
      } catch (error) {
        if ((error as Error).message === "accepted") throw error;
      }
    }
    const each = Number(process.hrtime.bigint() - from) / requests.length;
    medians.set(name, [...(medians.get(name) ?? []), each]);
  }
}
const passwords = { "password, unknown name": "bob:wrong", "password, wrong": "ann:wrong" };
for (let round = 0; round < 200; round += 1) {
  for (const [name, pair] of Object.entries(passwords)) {
    const authorization = `Basic ${Buffer.from(`${pair}${round}`).toString("base64")}`;
    const from = process.hrtime.bigint();
    await Promise.resolve(
      authenticator.identify({ headers: { authorization }, socket: {} } as unknown as IncomingMessage),
    ).catch(() => {});
    medians.set(name, [...(medians.get(name) ?? []), Number(process.hrtime.bigint() - from)]);
  }
}
const quantile = (values: readonly number[], at: number) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * at)];
await sleep(0);
const times = Object.fromEntries(
  [...medians].map(([name, values]) => [
    name,
    [0.25, 0.5, 0.75].map((at) => Math.round(quantile(values, at) as number)),
  ]),
);
console.log(
  JSON.stringify(
    {
      ...{ "checks without HTTP": 1_000_000, directAccepted, remembered: direct.remembered },
      ...{ requests: total, seconds: Math.round(seconds), accepted, control: control.statusCode },
      ...{ statuses: Object.fromEntries(statuses), rssMiB: memory, "ns per check (25 %, 50 %, 75 %)": times },
    },
    null,
    1,
  ),
);
