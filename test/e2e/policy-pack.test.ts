import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { Checkout } from "../support/checkout.ts";
import { engineFolder } from "../support/engine-folder.ts";
import { testWith } from "../support/needs.ts";
import { has } from "../support/present.ts";
import { standIns } from "../support/stand-ins.ts";

// The pack under the real Pulumi engine, which is asked for previews only: stand-ins take the place of the providers.
const test = testWith("a Pulumi engine");
const root = join(import.meta.dirname, "../..");
const folders = ["node_modules/node/bin", "node_modules/@pulumi/pulumi"];

let checkout: Checkout;
beforeAll(() => {
  if (has("a Pulumi engine")) checkout = new Checkout({ modules: "shared" });
});
afterAll(() => checkout?.close());

const pulumi = (line: string, folder = ".") =>
  checkout.run(`cd ${folder} && pulumi ${line} --non-interactive --color never`, {
    PATH: [...standIns, ...folders.map((folder) => join(root, folder)), engineFolder, checkout.env.PATH].join(
      delimiter,
    ),
    ...{ PULUMI_BACKEND_URL: checkout.backend(), PULUMI_CONFIG_PASSPHRASE: "", PULUMI_SKIP_UPDATE_CHECK: "true" },
  });

async function preview(stack: string, folder?: string) {
  const pack = join(checkout.path, "policy/mcp-fleet-policies");
  const { code, out, err } = await pulumi(`preview --stack ${stack} --policy-pack ${pack}`, folder);
  const [, verdicts = out + err] = /^Policies:\n(.*?)\n\n/ms.exec(out) ?? [];
  return { code, verdicts: verdicts.split("\n").map((line) => line.trim()) };
}

async function configured(stack: string, secrets: readonly string[]): Promise<void> {
  await pulumi(`stack init ${stack}`);
  for (const name of secrets) {
    await pulumi(`config set --stack ${stack} --secret --path mcp-fleet:secrets.${name} ${"k".repeat(43)}=`);
  }
}

test("the stacks of this repository keep to every policy", async () => {
  const passed = [expect.stringMatching(/^✅ mcp-fleet@v/)];
  await configured("dev", []);
  await configured("docker", ["operator"]);
  await configured("staging", ["operator", "session"]);
  for (const stack of ["dev", "docker", "staging"]) {
    expect([stack, await preview(stack)]).toEqual([stack, { code: 0, verdicts: passed }]);
  }
});

test("a pod that a transform has loosened stops the preview", async () => {
  const folder = join(checkout.path, "loosened");
  mkdirSync(folder);
  writeFileSync(join(folder, "Pulumi.yaml"), loosenedProject);
  writeFileSync(join(folder, "index.ts"), loosenedProgram);
  await pulumi("stack init loosened", folder);
  const { code, verdicts } = await preview("loosened", folder);
  expect(code).not.toBe(0);
  expect(verdicts).toEqual([
    expect.stringMatching(/^❌ mcp-fleet@v/),
    "- [mandatory]  restricted-pods  (kubernetes:apps/v1:Deployment: notes-deployment)",
    "Pods of fleets and gateways keep to the restricted Pod Security Standard.",
    "shares a namespace of its node; remove hostNetwork, hostPID and hostIPC",
  ]);
});

const loosenedProject = `
name: loosened
main: index.ts
runtime: { name: nodejs, options: { typescript: false } }
`;
const loosenedProgram = `
import { MCPServerFleet } from "../index.ts";

new MCPServerFleet(
  "notes",
  { platform: "kubernetes", type: "context7", container: { image: "notes:1" } },
  {
    transforms: [
      ({ type, props, opts }) => {
        if (type !== "kubernetes:apps/v1:Deployment") return undefined;
        props.spec.template.spec.hostNetwork = true;
        return { props, opts };
      },
    ],
  },
);
`;
