import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import { Pool } from "undici";
import type { Auth } from "../../runtime/config/schema/index.ts";
import { Authenticator } from "../../runtime/security/authenticator.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";

// The short form of test/bench/random-credentials.ts, the same on each run. RANDOM_SEED takes another run.
const seed = process.env.RANDOM_SEED ?? "20261125";
/** A source of texts like those that `randomBytes(32).toString("base64url")` makes, and of choices among a few. */
class Source {
  #drawn = 0;
  text(): string {
    this.#drawn += 1;
    return createHash("sha256").update(`${seed}:${this.#drawn}`).digest("base64url");
  }
  below(end: number): number {
    return Buffer.from(this.text()).readUInt32BE() % end;
  }
}

const own = new Source();
const right = Array.from({ length: 20 }, () => own.text());
const auth: Auth = {
  bearerTokens: right.map((token, index) => ({ name: `t${index}`, token })),
  apiKeys: right.map((token, index) => ({ name: `k${index}`, key: `k-${token}` })),
};
type Headers = Readonly<Record<string, string>>;

/** Texts that are not the one given, from far away to almost. */
const wrongs: readonly ((text: string, source: Source) => string)[] = [
  (_text, source) => source.text(),
  (text, source) => {
    const at = source.below(text.length);
    return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
  },
  (text) => text.slice(0, -1),
  (text) => `${text}A`,
  (text, source) => text.slice(0, source.below(text.length)),
  (text) => [...text].map((char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase())).join(""),
  (text) => [...text].reverse().join(""),
  (text) => createHash("sha256").update(text).digest("hex"),
  (text) => `sha256:${createHash("sha256").update(text).digest("hex")}`,
  (text, source) => `${text}.${source.text()}.${source.text()}`,
  (text) => `${text}, ${text}`,
  (text) => Buffer.from(text).toString("base64url"),
];
/** What carries them. A right token as a key, and a right key as a token, are wrong as well. */
const carriers: readonly ((wrong: string, right: string) => Headers)[] = [
  (wrong) => ({ authorization: `Bearer ${wrong}` }),
  (wrong) => ({ "x-api-key": `k-${wrong}` }),
  (wrong) => ({ authorization: wrong }),
  (wrong) => ({ authorization: `Basic ${Buffer.from(`t0:${wrong}`).toString("base64")}` }),
  (_wrong, text) => ({ authorization: `Bearer k-${text}` }),
  (_wrong, text) => ({ "x-api-key": text }),
];

function* attempts(count: number): Generator<Headers> {
  const source = new Source();
  for (let index = 0; index < count; index += 1) {
    const text = right[source.below(right.length)] as string;
    const wrong = wrongs[index % wrongs.length] as (typeof wrongs)[number];
    const carrier = carriers[source.below(carriers.length)] as (typeof carriers)[number];
    yield carrier(wrong(text, source), text);
  }
}

test(`60,000 random and almost right credentials: none is accepted, none is remembered (seed ${seed})`, () => {
  const authenticator = new Authenticator(auth);
  const identify = (headers: Headers) =>
    authenticator.identify({ headers, socket: {} } as unknown as IncomingMessage) as { caller: string };
  const accepted: Headers[] = [];
  for (const headers of attempts(60_000)) {
    try {
      identify(headers);
      accepted.push(headers);
    } catch {
      // Refused, as it must be.
    }
  }
  expect(accepted).toEqual([]);
  expect(authenticator.remembered).toBe(0);
  for (const [index, token] of right.entries()) {
    expect(identify({ authorization: `Bearer ${token}` }).caller).toBe(`t${index}`);
    expect(identify({ "x-api-key": `k-${token}` }).caller).toBe(`k${index}`);
  }
});

test("over HTTP each of 2,400 is a 401, and the right ones still come in", async () => {
  const it = await TestGateway.start({ gateway: { auth }, servers: { notes: statefulServer() } });
  const pool = new Pool(it.url, { connections: 16 });
  const ask = async (headers: Headers) => {
    const { statusCode, body } = await pool.request({ method: "GET", path: "/api/v1/servers", headers });
    await body.dump();
    return statusCode;
  };
  try {
    const statuses = await Promise.all([...attempts(2400)].map(ask));
    expect(statuses.filter((status) => status !== 401)).toEqual([]);
    expect(await Promise.all(right.map((token) => ask({ authorization: `Bearer ${token}` })))).toEqual(
      right.map(() => 200),
    );
  } finally {
    await pool.close();
    await it.close();
  }
});
