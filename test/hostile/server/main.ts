import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Era } from "../faults.ts";
import { Desk } from "./desk.ts";
import { overHttp } from "./over-http.ts";
import { overStdio, overTcp } from "./over-lines.ts";
import { overSse } from "./over-sse.ts";
import { overWebSocket } from "./over-web-socket.ts";

// A hostile server: `main.ts stdio <era>` on standard streams, and without arguments one for each other carrier and era.
// The second tells its ports by IPC, and on a message whose connections are open.
const [carrier, era] = process.argv.slice(2);
if (carrier === "stdio") overStdio(new Desk(era as Era));
else {
  const sockets: Record<string, Set<Socket>> = {};
  const socketsOf = (name: string) => {
    sockets[name] = new Set();
    return sockets[name];
  };
  const servers: Record<string, Server | HttpServer> = {
    "sse session": overSse(new Desk("session"), socketsOf("sse session")),
  };
  for (const era of ["session", "stateless"] as const) {
    servers[`http ${era}`] = overHttp(new Desk(era), socketsOf(`http ${era}`));
    servers[`tcp ${era}`] = overTcp(new Desk(era), socketsOf(`tcp ${era}`));
    servers[`ws ${era}`] = overWebSocket(new Desk(era), socketsOf(`ws ${era}`));
  }
  const ports: Record<string, number> = {};
  for (const [name, server] of Object.entries(servers)) {
    if (!server.listening) await once(server, "listening");
    ports[name] = (server.address() as AddressInfo).port;
  }
  const open = () => Object.entries(sockets).flatMap(([name, of]) => Array.from(of, () => name));
  process.on("message", () => process.send?.({ sockets: open() }));
  process.on("disconnect", () => process.exit(0));
  process.send?.({ ports });
}
