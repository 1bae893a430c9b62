import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCommand } from "../../runtime/orchestrator/find-command.ts";
import { dockerOk } from "./docker.ts";

/** The programs of Debian's packages, the folder that their public images have for what they keep, and files that Debian's read. */
const programs = {
  prometheus: { command: "prometheus", folder: "/prometheus", reads: undefined },
  alertmanager: {
    ...{ command: "prometheus-alertmanager", folder: "/alertmanager" },
    reads: "/usr/share/prometheus/alertmanager",
  },
};

/** An image of this machine's own Prometheus or Alertmanager, laid out like the public one; returns its tag. */
export async function monitoringImage(name: keyof typeof programs): Promise<string> {
  const { command, folder, reads } = programs[name];
  const tag = `local/${name}:debian`;
  const context = mkdtempSync(join(tmpdir(), "monitoring-image-"));
  copyFileSync(findCommand(command, process.env.PATH ?? "", process.cwd()) as string, join(context, name));
  mkdirSync(join(context, "files"));
  if (reads !== undefined) cpSync(reads, join(context, "files", reads), { recursive: true, dereference: true });
  const file = [
    "FROM local/node:24",
    `COPY ${name} /usr/local/bin/${name}`,
    "COPY files /",
    `RUN mkdir ${folder} && chown 65534:65534 ${folder}`,
    `ENTRYPOINT ["${name}"]`,
  ];
  writeFileSync(join(context, "Dockerfile"), `${file.join("\n")}\n`);
  await dockerOk(["build", "--quiet", "--tag", tag, context]);
  rmSync(context, { recursive: true });
  return tag;
}
