/** `node test/bench/security-cost.ts`: the gateway's CPU per call with each control on, in turns with none of them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { runSuite, type Target } from "../../runtime/bench/index.ts";
import { Contestants } from "./contestants.ts";

const contestants = new Contestants();
try {
  await contestants.upstream();
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwksFile = join(contestants.folder, "jwks.json");
  writeFileSync(jwksFile, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "k" }] }));
  const issuer = "https://issuer.example.org";
  const token = await new SignJWT({ scope: "read", roles: ["user"] })
    .setProtectedHeader({ alg: "ES256", kid: "k" })
    .setIssuer(issuer)
    .setSubject("bench")
    .setAudience("bench")
    .setExpirationTime("1h")
    .sign(privateKey);
  const bearer = { authorization: `Bearer ${token}` };
  const auth = { jwt: [{ issuer, audience: ["bench"], jwksFile }] };
  const limit = { windowMs: 60_000, maxRequests: 100_000_000 };
  const rateLimiting = { caller: limit, server: limit, tool: limit };
  const authorization = {
    rules: [
      { effect: "allow", servers: ["*"], tools: ["echo"] },
      { effect: "deny", tools: ["delete*"] },
    ],
  };
  const when = { rules: [{ effect: "allow", tools: ["echo"], when: 'args.text != "forbidden"' }] };
  const audit = { file: join(contestants.folder, "audit.log") };
  const targets: Target[] = [];
  const add = async (name: string, gateway: object, headers: Record<string, string> = {}) =>
    targets.push(await contestants.secured(name, { ...gateway }, headers));
  await add("none", {});
  await add("JWT", { auth }, bearer);
  await add("limits", { rateLimiting });
  await add("policy", { authorization });
  await add("policy with an expression", { authorization: when });
  await add("JWT, limits, policy", { auth, rateLimiting, authorization }, bearer);
  await add("audit log", { audit });
  // What else the machine does only adds: the least of several rounds, which take turns, is nearest to the truth.
  const least = new Map<string, number>();
  await runSuite({
    targets,
    call: () => ({ params: '{"name":"echo","arguments":{"text":"{text}"}}', echoes: true }),
    ...{ sessions: [32], rounds: 8, durationMs: 2000, warmMs: 800 },
    onMeasured: ({ target, cpuUsPerCall = Number.NaN, errors }) => {
      if (Object.keys(errors).length > 0) throw new Error(`${target}: ${JSON.stringify(errors)}`);
      least.set(target, Math.min(least.get(target) ?? Number.POSITIVE_INFINITY, cpuUsPerCall));
    },
  });
  const base = least.get("none") as number;
  for (const [target, cpuUs] of least) {
    console.log(`| ${target} | ${cpuUs.toFixed(1)} | ${(100 * (cpuUs / base - 1)).toFixed(1)} % |`);
  }
} finally {
  await contestants.stop();
}
