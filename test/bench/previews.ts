import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { performance } from "node:perf_hooks";
import { Checkout } from "../support/checkout.ts";
import { engineFolder } from "../support/engine-folder.ts";
import { Moto } from "../support/moto.ts";
import { standIns } from "../support/stand-ins.ts";

// `npm run bench:previews`: how long `npm run preview` takes for each stack in a clean clone with nothing up, the type check, and
// the import of the built package. Providers that are not on PATH are stand-ins (docs/testing.md), which plan as the real ones do.
const root = join(import.meta.dirname, "../..");
const rounds = 3;

const checkout = new Checkout({ modules: "shared" });
const aws = process.env.MOTO_PYTHON === undefined ? undefined : await Moto.start("eu-central-1");
const folders = [...standIns, engineFolder, join(root, "node_modules/node/bin")];
const env = {
  ...aws?.env,
  PATH: [...folders, checkout.env.PATH].join(delimiter),
  ...{ PULUMI_CONFIG_PASSPHRASE: "", PULUMI_SKIP_UPDATE_CHECK: "true" },
};

async function seconds(line: string): Promise<number> {
  const began = performance.now();
  const { code, out, err } = await checkout.run(line, env);
  if (code !== 0) throw new Error(`${line}: ${out}\n${err}`);
  return Math.round((performance.now() - began) / 100) / 10;
}

async function median(line: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await seconds(line));
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number;
}

/** Gives a stack the secrets that its file asks for. */
async function prepare(name: string): Promise<void> {
  const text = readFileSync(join(root, `stacks/Pulumi.${name}.yaml`), "utf8");
  const secrets = new Set([...text.matchAll(/mcp-fleet:secrets\.(\w+)/g)].map((match) => match[1] as string));
  if (secrets.size === 0) return;
  const backend = `PULUMI_BACKEND_URL=${checkout.backend()}`;
  await seconds(`${backend} pulumi stack init ${name}`);
  for (const secret of secrets) {
    const value = randomBytes(32).toString("base64");
    await seconds(`${backend} pulumi config set --stack ${name} --secret --path mcp-fleet:secrets.${secret} ${value}`);
  }
}

try {
  await checkout.run("node scripts/setup.mjs");
  // `systemd` is refused where that is not the first process.
  const left = ["Pulumi.systemd.yaml", ...(aws === undefined ? ["Pulumi.prod.yaml"] : [])];
  const files = readdirSync(join(root, "stacks")).filter((file) => !left.includes(file));
  const names = files.map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] as string);
  const previews: Record<string, number> = {};
  for (const name of names) {
    await prepare(name);
    previews[name] = await median(`npm run preview -- --stack ${name}`);
  }
  const tsc = await median("npx tsc --noEmit");
  await checkout.run("npm run build");
  const timed =
    'const t = performance.now(); await import("mcp-fleet"); console.log(Math.round(performance.now() - t) / 1000)';
  const imports = Array.from({ length: 5 }, () =>
    Number(execFileSync(process.execPath, ["--input-type=module", "-e", timed], { cwd: checkout.path })),
  ).sort((a, b) => a - b);
  console.log(JSON.stringify({ seconds: { previews, tsc, import: imports[2] } }, null, 1));
} finally {
  aws?.close();
  checkout.close();
}
