import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findCommand } from "../../runtime/orchestrator/find-command.ts";
import { dockerOk } from "./docker.ts";

/** An image of this machine's own Redis with the libraries that it is linked with; returns its tag. */
export async function redisImage(): Promise<string> {
  const tag = "local/redis:debian";
  const context = mkdtempSync(join(tmpdir(), "redis-image-"));
  const program = realpathSync(findCommand("redis-server", process.env.PATH ?? "", process.cwd()) as string);
  copyFileSync(program, join(context, "redis-server"));
  const linked = execFileSync("ldd", [program], { encoding: "utf8" });
  for (const [, library] of linked.matchAll(/=> (\S+)/g)) {
    const path = join(context, "files", library as string);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(library as string, path);
  }
  // In the base /lib is a link, which a copied folder of that name would be in the way of.
  const file = [
    "FROM local/node:24",
    "COPY redis-server /usr/local/bin/redis-server",
    "COPY files/lib/ /usr/lib/",
    'ENTRYPOINT ["redis-server"]',
  ];
  writeFileSync(join(context, "Dockerfile"), `${file.join("\n")}\n`);
  await dockerOk(["build", "--quiet", "--tag", tag, context]);
  rmSync(context, { recursive: true });
  return tag;
}
