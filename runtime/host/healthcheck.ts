import { get as getPlain } from "node:http";
import { get as getTls } from "node:https";

// The image's health check, without a shell or curl: leaves with 0 when what runs in this container is alive. It listens at
// the port of the environment, else at a server host's or a gateway's own.
const { MCP_FLEET_PORT } = process.env;
const ports = MCP_FLEET_PORT === undefined ? [3001, 8080] : [Number(MCP_FLEET_PORT)];

// A gateway's certificate is made for the names that its clients call, not for this address.
const path = { host: "127.0.0.1", path: "/health", timeout: 2000, rejectUnauthorized: false };

const alive = (get: typeof getTls, port: number) =>
  new Promise<boolean>((resolve) => {
    get({ ...path, port }, ({ statusCode }) => resolve(statusCode === 200))
      .on("timeout", () => resolve(false))
      .on("error", () => resolve(false));
  });

const answers = ports.map(async (port) => (await alive(getPlain, port)) || (await alive(getTls, port)));
process.exit((await Promise.all(answers)).includes(true) ? 0 : 1);
