import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import type { Era } from "../faults.ts";
import { Desk } from "./desk.ts";
import { overHttp } from "./over-http.ts";
import { overStdio, overTcp } from "./over-lines.ts";
import { overSse } from "./over-sse.ts";
import { overWebSocket } from "./over-web-socket.ts";

// A hostile server: `main.ts stdio <era>` on standard streams, and without arguments one for each other carrier and era.
// The second tells its ports by IPC.
const [carrier, era] = process.argv.slice(2);
if (carrier === "stdio") overStdio(new Desk(era as Era));
else {
  const servers: Record<string, Server | HttpServer> = {
    "sse session": overSse(new Desk("session")),
  };
  for (const era of ["session", "stateless"] as const) {
    servers[`http ${era}`] = overHttp(new Desk(era));
    servers[`tcp ${era}`] = overTcp(new Desk(era));
    servers[`ws ${era}`] = overWebSocket(new Desk(era));
  }
  const ports: Record<string, number> = {};
  for (const [name, server] of Object.entries(servers)) {
    if (!server.listening) await once(server, "listening");
    ports[name] = (server.address() as AddressInfo).port;
  }
  process.on("disconnect", () => process.exit(0));
  process.send?.({ ports });
}
