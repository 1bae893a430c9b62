// Makes a checkout ready: dependencies and build. Plain JavaScript without imports of packages, because it runs before
// there are any, on whatever Node.js the machine has. Does nothing, in a few milliseconds, when all is up to date.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const oldestNode = 20;

function main() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < oldestNode)
    fail(`Node.js ${process.versions.node} is too old; install ${oldestNode} or newer (node ${oldestNode}+, npm 10+)`);
  // Two answers for two folders: a new lock file means new dependencies, and both mean a new build.
  const lock = digest([join(root, "package-lock.json")]);
  step(join(modules, ".setup"), lock, "installing dependencies (about a minute the first time)", () => {
    const npm = process.env.npm_execpath;
    // Not `npm ci`: it refuses a lock file that lacks the optional binaries of platforms other than its maker's. This
    // installs the locked versions as well, and with --no-save writes nothing back.
    const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
    return npm === undefined ? run("npm", args) : run(process.execPath, [npm, ...args]);
  });
  const sources = ["index.ts", "components", "runtime", "tsconfig.json", "tsconfig.build.json"].flatMap((name) =>
    filesIn(join(root, name)),
  );
  step(join(root, "dist", ".setup"), `${lock} ${digest(sources)}`, "building", () =>
    run(join(modules, "node", "bin", "node"), [join(root, "scripts", "build.ts")]),
  );
}

function step(stamp, key, title, action) {
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === key) return;
  const began = Date.now();
  console.error(`setup: ${title}`);
  const { status, error } = action();
  if (status !== 0) fail(`${title} failed${error === undefined ? "" : `: ${error.message}`}; the reason is above`);
  writeFileSync(stamp, key);
  console.error(`setup: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

function run(command, args) {
  // The compiler would keep its own compiled code in the folder for temporary files.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" };
  return spawnSync(command, args, { cwd: root, env, stdio: ["ignore", 2, 2] });
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(relative(root, file)).update(readFileSync(file));
  return hash.digest("hex");
}

function filesIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesIn(join(path, name)));
}

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

main();
