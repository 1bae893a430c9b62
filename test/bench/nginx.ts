import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../../runtime/orchestrator/find-command.ts";

/** nginx, where the Debian package puts it. */
export const nginxCommand = findCommand("nginx", `${process.env.PATH}:/usr/sbin`, "/");

/** Writes the configuration of a plain reverse proxy with one worker and keep-alive on both sides; returns nginx' arguments. */
export function nginxArguments(folder: string, port: number, upstreamPort: number): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    config,
    `worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 8192; }
http {
  access_log off;
${temporary.join("\n")}
  upstream echo { server 127.0.0.1:${upstreamPort}; keepalive 256; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000000;
    location / {
      proxy_pass http://echo;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`,
  );
  return ["-c", config, "-p", folder];
}
