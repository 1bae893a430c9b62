import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { clusterCredentials } from "../../../../runtime/orchestrator/kubernetes/kubeconfig.ts";

let folder: string;
const file = (name: string) => join(folder, name);
const base64 = (text: string) => Buffer.from(text).toString("base64");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kubeconfig-test-"));
  writeFileSync(
    file("one.yaml"),
    `
current-context: near
contexts:
  - { name: near, context: { cluster: near, user: ada } }
  - { name: open, context: { cluster: open } }
  - { name: lost, context: { cluster: gone, user: ada } }
clusters:
  - { name: near, cluster: { server: "https://near:6443/", certificate-authority: ca.crt, tls-server-name: api } }
  - { name: open, cluster: { server: "http://open", insecure-skip-tls-verify: true, proxy-url: "http://proxy:3128" } }
users:
  - { name: ada, user: { client-certificate-data: ${base64("cert")}, client-key: ada.key } }
`,
  );
  writeFileSync(
    file("two.yaml"),
    `
current-context: far
contexts:
  - { name: near, context: { cluster: far, user: bob } }
  - { name: far, context: { cluster: far, user: bob } }
  - { name: plugin, context: { cluster: far, user: plugin } }
clusters: [{ name: far, cluster: { server: "https://far", certificate-authority-data: ${base64("far")} } }]
users:
  - { name: bob, user: { tokenFile: bob.token } }
  - name: plugin
    user:
      exec: { apiVersion: client.authentication.k8s.io/v1, command: ${file("login")}, args: [--now], env: [{ name: WHO, value: eve }] }
`,
  );
  writeFileSync(file("ca.crt"), "authority");
  writeFileSync(file("ada.key"), "key");
  writeFileSync(file("bob.token"), "token-of-bob\n");
  writeFileSync(file("login"), `#!/bin/sh\necho "{\\"status\\":{\\"token\\":\\"$WHO$1\\"}}"\n`);
  chmodSync(file("login"), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

const env = () => ({ KUBECONFIG: [file("one.yaml"), file("missing.yaml"), file("two.yaml")].join(delimiter) });

test("the current context of the first file counts, with certificates in base64 or in files beside it", async () => {
  const tls = { ca: "authority", cert: "cert", key: "key", servername: "api", rejectUnauthorized: true };
  expect(await clusterCredentials({}, env())).toEqual({
    ...{ server: "https://near:6443", proxy: undefined, token: undefined, tls },
    origin: `context "near" of ${file("one.yaml")}, ${file("two.yaml")}`,
  });
});

test.each([
  ["far", { server: "https://far", token: "token-of-bob" }],
  ["open", { server: "http://open", token: undefined, proxy: "http://proxy:3128" }],
])("another context is chosen (%s)", async (context, wanted) => {
  expect(await clusterCredentials({ context }, env())).toMatchObject(wanted);
});

test("without verification only where the kubeconfig says so", async () => {
  expect((await clusterCredentials({ context: "open" }, env())).tls.rejectUnauthorized).toBe(false);
});

test("a command gives the token", async () => {
  expect(await clusterCredentials({ context: "plugin" }, env())).toMatchObject({ token: "eve--now" });
});

test("a given kubeconfig, as a path or as its text, comes before that of the environment", async () => {
  const text =
    '{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"a"}}],"clusters":[{"name":"a","cluster":{"server":"https://a"}}]}';
  expect(await clusterCredentials({ kubeconfig: file("two.yaml") }, env())).toMatchObject({ server: "https://far" });
  const credentials = await clusterCredentials({ kubeconfig: text }, env());
  expect([credentials.server, credentials.origin]).toEqual(["https://a", 'context "a" of the given kubeconfig']);
});

test.each([
  ["a context that does not exist", { context: "moon" }, 'the kubeconfig has no context "moon"'],
  ["a cluster that does not exist", { context: "lost" }, 'the kubeconfig has no cluster "gone"'],
])("%s is told", async (_what, access, message) => {
  await expect(clusterCredentials(access, env())).rejects.toThrow(
    `${message}; correct the kubeconfig, or choose another context by kubernetes:context`,
  );
});

test("with no kubeconfig and outside of a pod, says what to set", async () => {
  await expect(clusterCredentials({}, { KUBECONFIG: file("missing.yaml") })).rejects.toThrow(
    "there is no kubeconfig (neither KUBECONFIG nor ~/.kube/config); set KUBECONFIG, or kubernetes:kubeconfig of the stack",
  );
});
