import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Agent, request } from "undici";
import type { Gateway } from "../../runtime/config/schema/index.ts";
import { Certificates } from "../support/certificates.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";

let it: TestGateway;
afterEach(() => it.close());
const start = async (gateway: Partial<Gateway>) => {
  it = await TestGateway.start({ gateway, servers: { notes: statefulServer() } });
  return Number(new URL(it.url).port);
};

describe("TLS", () => {
  const made = new Certificates();
  const ca = readFileSync(made.ca);
  let files: { certFile: string; keyFile: string };
  beforeAll(() => {
    const { cert, key } = made.sign("server", "gateway one");
    files = { certFile: cert, keyFile: key };
  });
  afterAll(() => made.close());

  /** Who answers a handshake, in which version; or why there is none. */
  const handshake = (port: number, options: object = {}) =>
    new Promise<[string | undefined, string | null]>((resolve) => {
      const socket = connectTls({ port, host: "127.0.0.1", ca, servername: "localhost", ...options }, () => {
        resolve([socket.getPeerCertificate().subject.CN as string, socket.getProtocol()]);
        socket.destroy();
      });
      socket.on("error", (error) => resolve([(error as NodeJS.ErrnoException).code, null]));
    });
  const get = async (path: string, tls: object = {}, headers: Record<string, string> = {}) => {
    const dispatcher = new Agent({ connect: { ca, ...tls } });
    try {
      const answer = await request(`${it.url}${path}`, { dispatcher, headers });
      return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    } finally {
      await dispatcher.close();
    }
  };

  test("versions before 1.2 and ciphers without forward secrecy are refused; HSTS is sent", async () => {
    const port = await start({ tls: files });
    expect(await handshake(port)).toEqual(["gateway one", "TLSv1.3"]);
    expect(await handshake(port, { maxVersion: "TLSv1.2" })).toEqual(["gateway one", "TLSv1.2"]);
    const old = {
      minVersion: "TLSv1" as SecureVersion,
      maxVersion: "TLSv1.1" as SecureVersion,
      ciphers: "ALL:@SECLEVEL=0",
    };
    expect((await handshake(port, old))[1]).toBe(null);
    expect((await handshake(port, { maxVersion: "TLSv1.2", ciphers: "AES128-SHA:AES256-GCM-SHA384" }))[1]).toBe(null);
    expect((await get("/health")).headers["strict-transport-security"]).toBe("max-age=31536000");
    const ends = Date.parse(new X509Certificate(readFileSync(files.certFile)).validTo) / 1000;
    expect((await get("/metrics")).text).toContain(`\nmcp_certificate_expiry_seconds{listener="http"} ${ends}\n`);
    await it.close();
    expect(
      await handshake(await start({ tls: { ...files, minVersion: "TLSv1.3" } }), { maxVersion: "TLSv1.2" }),
    ).toEqual([expect.any(String), null]);
  });

  test("a new certificate is taken over without a restart; one that does not fit its key is not", async () => {
    const port = await start({ tls: files });
    const until = async (name: string) => {
      for (let attempt = 0; attempt < 100 && (await handshake(port))[0] !== name; attempt += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect((await handshake(port))[0]).toBe(name);
    };
    made.sign("server", "gateway two");
    await until("gateway two");
    made.sign("server", "gateway one");
    await until("gateway one");
  });

  test.each([true, false])("a client certificate is an identity (mTLS: %s)", async (control) => {
    const holders = [
      { name: "robot", subject: "CN:robot.example.org" },
      { name: "spiffe", subject: "URI:spiffe://a/b" },
    ];
    const robot = made.sign("robot", "robot.example.org");
    const spiffe = made.sign("spiffe", "x", ",URI:spiffe://a/b");
    const stranger = made.sign("stranger", "stranger.example.org");
    // A common name that looks like a name with a kind does not match that name.
    const disguised = made.sign("disguised", "URI:spiffe:\\/\\/a\\/b");
    const pem = ({ cert, key }: { cert: string; key: string }) => ({
      cert: readFileSync(cert),
      key: readFileSync(key),
    });
    const auth = control ? { clientCertificates: holders } : { allowAnonymous: true };
    await start({ auth, tls: { ...files, ...(control ? { clientCaFile: made.ca } : {}) } });
    const statuses = [];
    for (const tls of [pem(robot), pem(spiffe), pem(stranger), pem(disguised), {}]) {
      statuses.push((await get("/api/v1/servers", tls)).status);
    }
    // Without the control whoever comes is let in.
    expect(statuses).toEqual(control ? [200, 200, 401, 401, 401] : [200, 200, 200, 200, 200]);
  });

  test("where a client certificate is required, nothing is said without one", async () => {
    const port = await start({ tls: { ...files, clientCaFile: made.ca, requireClientCert: true } });
    await expect(get("/health")).rejects.toThrow();
    const { cert, key } = made.sign("robot", "robot.example.org");
    expect((await get("/health", { cert: readFileSync(cert), key: readFileSync(key) })).status).toBe(200);
    expect(port).toBeGreaterThan(0);
  });
});

describe("pages of other origins", () => {
  const ask = async (origin: string, method: "GET" | "OPTIONS" = "GET") => {
    const preflight = {
      "access-control-request-method": "POST",
      "access-control-request-headers": "mcp-param-city, x-other",
    };
    const headers = { origin, ...(method === "OPTIONS" ? preflight : {}) };
    const answer = await request(`${it.url}/api/v1/servers`, { method, headers });
    await answer.body.dump();
    const cors = Object.entries(answer.headers).filter(
      ([name]) => name.startsWith("access-control") || name === "vary",
    );
    return { status: answer.statusCode, ...Object.fromEntries(cors) };
  };
  const app = "https://app.example.org";

  test("those that are named may call and read, after a preflight; no others", async () => {
    await start({ cors: { origins: [app], maxAgeSeconds: 60 } });
    expect(await ask(app)).toMatchObject({
      ...{ status: 200, "access-control-allow-origin": app, vary: "origin" },
      "access-control-expose-headers": expect.stringContaining("mcp-session-id"),
    });
    const preflight = await ask(app, "OPTIONS");
    expect(preflight).toMatchObject({
      ...{ status: 204, "access-control-allow-methods": "GET, POST, DELETE", "access-control-max-age": "60" },
      "access-control-allow-headers": expect.stringMatching(/authorization, content-type.* mcp-param-city$/),
    });
    expect(preflight).not.toHaveProperty("access-control-allow-credentials");
    expect(await ask("https://evil.example.org")).toEqual({ status: 403 });
    expect(await ask("https://evil.example.org", "OPTIONS")).toEqual({ status: 403 });
  });

  test("without the setting nobody is told that they may", async () => {
    await start({});
    expect(await ask(app)).toEqual({ status: 403 });
  });
});

/** Sends bytes and reads until the connection ends. */
function raw(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let said = "";
    socket.on("data", (chunk) => {
      said += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(said));
    socket.setTimeout(2000, () => socket.destroy());
  });
}
const statuses = (said: string) => [...said.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

describe("requests that two parsers could read in two ways (smuggling)", () => {
  const hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
  test.each([
    ["a length and chunks", `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ["two lengths", `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`],
    ["an encoding after chunked", `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`],
    ["an unknown encoding", `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`],
    ["blank before the colon", `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ["a folded header", `X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ["a bare line feed", `X-A: b\nContent-Length: 0\r\n\r\n${hidden}`],
    ["a chunk size that is none", "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n"],
    ["a negative length", "Content-Length: -1\r\n\r\n"],
    ["no Host", ""],
  ])("%s: refused, and what hides behind it is not answered", async (what, rest) => {
    const port = await start({});
    const host = what === "no Host" ? "\r\n" : "Host: localhost\r\n";
    const said = await raw(port, `POST /health HTTP/1.1\r\n${host}${rest}`);
    expect(statuses(said)).toEqual([400]);
    expect(said).not.toContain("/hidden");
  });
});

test.each([true, false])("headers have a size, connections a bound: %s", async (control) => {
  const bounds = control ? { maxHeaderBytes: 2048, maxConnections: 3 } : { maxHeaderBytes: 8192, maxConnections: 10 };
  const port = await start({ connections: bounds });
  const head = (more: string) => `GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`;
  expect(statuses(await raw(port, head("")))).toEqual([200]);
  expect(statuses(await raw(port, head(`X-A: ${"a".repeat(4096)}\r\n`)))).toEqual([control ? 431 : 200]);
  const held = [1, 2, 3].map(() => connect(port, "127.0.0.1").on("error", () => {}));
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  expect(statuses(await raw(port, head("")))).toEqual(control ? [] : [200]);
  for (const socket of held) socket.destroy();
});

describe("the client's own address", () => {
  /** Three wrong tokens; the status of a fourth request with the address that it claims. */
  const fourth = async (port: number, prefix: (turn: number) => string | Buffer, header: (turn: number) => string) => {
    const seen: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const head = `GET /api/v1/servers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer wrong\r\n`;
      const said = await raw(
        port,
        Buffer.concat([Buffer.from(prefix(turn)), Buffer.from(`${head}${header(turn)}\r\n`)]),
      );
      seen.push(...statuses(said));
    }
    return seen;
  };
  const auth = { bearerTokens: [{ name: "ci", token: "right" }], maxFailuresPerMinute: 3 };
  const forwarded = (turn: number) => `X-Forwarded-For: 203.0.113.${turn}\r\n`;

  test.each([true, false])(
    "a client that claims another one each time gets around the bound on failures (believed of trusted proxies only: %s)",
    async (control) => {
      const trusting = { connections: { trustedProxies: ["127.0.0.0/8"] } };
      const port = await start({ auth, ...(control ? {} : trusting) });
      expect(await fourth(port, () => "", forwarded)).toEqual(control ? [401, 401, 401, 429] : [401, 401, 401, 401]);
    },
  );

  test("of a trusted proxy it is believed, from the right", async () => {
    const port = await start({ auth, connections: { trustedProxies: ["127.0.0.0/8", "10.0.0.1"] } });
    const behind = (turn: number) => `X-Forwarded-For: 198.51.100.${turn}, 192.0.2.7, 10.0.0.1\r\n`;
    expect(await fourth(port, () => "", behind)).toEqual([401, 401, 401, 429]);
  });

  test("PROXY protocol, versions 1 and 2; a connection without it, or from elsewhere, is cut off", async () => {
    const connections = { trustedProxies: ["127.0.0.1"], proxyProtocol: true };
    const port = await start({ auth, connections });
    const v1 = (turn: number) => `PROXY TCP4 203.0.113.${turn} 127.0.0.1 5000 80\r\n`;
    const v2 = () => Buffer.from(`0d0a0d0a000d0a515549540a21110${"00c"}c0000207${"7f000001"}13880050`, "hex");
    expect(await fourth(port, v1, () => "")).toEqual([401, 401, 401, 401]);
    expect(await fourth(port, v2, () => "")).toEqual([401, 401, 401, 429]);
    expect(
      await fourth(
        port,
        () => "",
        () => "",
      ),
    ).toEqual([]);
    await it.close();
    const other = await start({ auth, connections: { ...connections, trustedProxies: ["10.0.0.1"] } });
    expect(await fourth(other, v1, () => "")).toEqual([]);
    await it.close();
    const optional = { ...connections, trustedProxies: ["10.0.0.1"], proxyProtocolOptional: true };
    const open = await start({ auth, connections: optional });
    const none = () => "";
    expect(await fourth(open, none, none)).toEqual([401, 401, 401, 429]);
    expect(await fourth(open, v1, none)).toEqual([400, 400, 400, 400]);
  });
});
