import { execFileSync } from "node:child_process";
import { lookup } from "node:dns/promises";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, extname, join } from "node:path";
import { PackageTree } from "../runtime/orchestrator/package-tree.ts";

// The whole file system of the image: `node scripts/image-root.ts BUNDLE TARGET`, run in the image's build stage.
const [bundle, target] = process.argv.slice(2) as [string, string];
const user = 65532;
/** What no program loads: declarations, sources, maps, texts. They are more than half of an npm package. */
const unused = new Set([".ts", ".mts", ".cts", ".map", ".md", ".markdown", ".flow", ".tsbuildinfo"]);

rmSync(target, { recursive: true, force: true });
copy(process.execPath, "/usr/local/bin/node");
for (const library of await libraries()) copy(library, library);
const tini = execFileSync("sh", ["-c", "command -v tini"], { encoding: "utf8" }).trim();
copy(tini, "/usr/local/bin/tini");

cpSync(bundle, join(target, "app"), { recursive: true, verbatimSymlinks: true, filter: (file) => !prunable(file) });
// npm makes its folders for their owner alone; here another user reads them.
openToAll(join(target, "app"));
// A gateway that runs as root compares packages with what is in the image.
const packages = join(target, "app/cache/packages");
for (const key of existsSync(packages) ? readdirSync(packages) : []) {
  write(join("/app/notes", key, await (await PackageTree.read(join(packages, key))).digest()), "");
}
symlinkSync("/app/lib/bundle/mcp-fleet.js", join(target, "usr/local/bin/mcp-fleet"));
write("/etc/passwd", `root:x:0:0:root:/:/nonexistent\nmcp-fleet:x:${user}:${user}::/tmp:/nonexistent\n`);
write("/etc/group", `root:x:0:\nmcp-fleet:x:${user}:\n`);
write("/etc/nsswitch.conf", "hosts: files dns\n");
for (const [folder, mode] of [
  ["/tmp", 0o1777],
  ["/etc/mcp-fleet", 0o755],
  ["/var/lib/mcp-fleet", 0o700],
] as const) {
  mkdirSync(join(target, folder), { recursive: true });
  chmodSync(join(target, folder), mode);
}
chownSync(join(target, "/var/lib/mcp-fleet"), user, user);
setTimes(target, Number(process.env.SOURCE_DATE_EPOCH ?? 0));

/** What the running Node.js has loaded, name resolution included: that of the base, whichever it is. */
async function libraries(): Promise<string[]> {
  await lookup("localhost");
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  const loaded = sharedObjects.filter((path) => path.startsWith("/") && existsSync(path));
  // The loader opens these by name when the C library is asked for a host.
  const beside = dirname(loaded.find((path) => path.includes("/libc.so")) ?? "/lib");
  const byName = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"].map((name) => join(beside, name));
  return [...new Set([...loaded, ...byName.filter(existsSync)])];
}

function prunable(file: string): boolean {
  return file.includes("/node_modules/") && unused.has(extname(file)) && !lstatSync(file).isDirectory();
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(join(target, to)), { recursive: true });
  copyFileSync(from, join(target, to));
  chmodSync(join(target, to), 0o755);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), text);
}

function openToAll(path: string): void {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return;
  chmodSync(path, status.isDirectory() || (status.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (status.isDirectory()) for (const name of readdirSync(path)) openToAll(join(path, name));
}

function setTimes(path: string, seconds: number): void {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) setTimes(join(path, name), seconds);
  lutimesSync(path, seconds, seconds);
}
