import { expect, test } from "@jest/globals";
import { issueText, validateServer } from "../../../runtime/config/schema/index.ts";

const http = { type: "custom", endpoints: ["https://docs.example/mcp"] };
const oauth = { grant: "client-credentials", issuer: "https://as", clientId: "c", clientSecret: "${S}" };
const said = (credentials: object, more: object = {}) =>
  validateServer({ ...http, ...more, credentials }).map((issue) => issueText(issue));

test("what is right", () => {
  const right = [
    { header: { value: "file:/run/secrets/docs", scheme: "Bearer" } },
    { callers: { secrets: { alice: "${ALICE}" }, gateway: "${OWN}" } },
    { oauth },
    { oauth: { grant: "authorization-code" } },
    { oauth: { grant: "token-exchange", issuer: "https://as", clientId: "c", privateKey: "file:key.pem" } },
    { oauth: { grant: "jwt-bearer", issuer: "https://as", clientId: "c", assertion: "file:/var/run/secrets/jwt" } },
  ];
  expect(right.flatMap((credentials) => said(credentials))).toEqual([]);
});

test("secrets stand elsewhere", () => {
  const fix = "holds a secret itself; refer to an environment variable as ${NAME}, or to a file as file:PATH";
  expect([
    ...said({ header: { value: "s3cret" } }),
    ...said({ callers: { secrets: { alice: "s3cret" }, gateway: "s3cret" } }),
    ...said({ oauth: { ...oauth, clientSecret: "s3cret" } }),
    ...said({ oauth: { grant: "jwt-bearer", issuer: "https://as", clientId: "c", assertion: "eyJ.e30.x" } }),
  ]).toEqual([
    `credentials.header.value: ${fix}`,
    `credentials.callers.gateway: ${fix}`,
    `credentials.callers.secrets.alice: ${fix}`,
    `credentials.oauth.clientSecret: ${fix}`,
    `credentials.oauth.assertion: ${fix}`,
  ]);
});

test("exactly one kind, that the transport can carry", () => {
  const header = { value: "${S}" };
  expect([
    ...said({}),
    ...said({ header, oauth }),
    ...said({ header }, { endpoints: undefined, process: { command: "node" } }),
    ...said({ header }, { endpoints: ["tcp://docs:9000"] }),
    ...said({ oauth }, { endpoints: ["wss://docs.example/"] }),
    ...said({ oauth }, { protocol: "sse" }),
  ]).toEqual([
    "credentials: names no kind; keep one of header, callers and oauth",
    "credentials: has several kinds (header, oauth); keep one of header, callers and oauth",
    "credentials: stands beside a server that is reached over stdio, which carries none; use process.env",
    "credentials: stands beside a server that is reached over tcp, which carries none; remove it, or use an endpoint with http:// or ws://",
    "credentials: is of a kind (oauth) that one connection over ws cannot carry; use credentials.header, or Streamable HTTP",
    "credentials: is of a kind (oauth) that one connection over sse cannot carry; use credentials.header, or Streamable HTTP",
  ]);
});

test("what each grant needs, and what belongs to one authorization server", () => {
  expect([
    ...said({ oauth: { grant: "client-credentials" } }),
    ...said({ oauth: { grant: "token-exchange", issuer: "https://as", clientId: "c", clientSecret: "${S}" } }),
    ...said({ oauth: { grant: "authorization-code", clientId: "c" } }),
    ...said({ oauth: { ...oauth, privateKey: "file:key.pem" } }),
    ...said({ oauth: { grant: "authorization-code", issuer: "https://as", clientSecret: "${S}" } }),
    ...said({ oauth: { grant: "jwt-bearer", issuer: "https://as", clientId: "c" } }),
    ...said({ oauth: { ...oauth, assertion: "${JWT}" } }),
  ]).toEqual([
    "credentials.oauth.clientId: is missing, which client-credentials needs; register the gateway at the authorization server",
    "credentials.oauth.clientSecret: is missing, which client-credentials needs; add clientSecret, or privateKey",
    "credentials.oauth.privateKey: is missing, with which the gateway vouches for its callers; add it, and register its public key",
    "credentials.oauth.issuer: is missing beside what belongs to one authorization server; add the issuer that registered the client",
    "credentials.oauth.privateKey: stands beside clientSecret; keep one",
    "credentials.oauth.clientId: is missing beside clientSecret; add it",
    "credentials.oauth.assertion: is missing, by which the gateway is known; refer to the file with this workload's JWT",
    "credentials.oauth.assertion: is not for client-credentials; remove it, or use jwt-bearer",
  ]);
});
