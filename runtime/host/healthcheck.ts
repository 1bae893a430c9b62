import { get } from "node:http";

// The image's health check, without a shell or curl: leaves with 0 when what runs in this container is alive. It listens at
// the port of the environment, else at a server host's or a gateway's own.
const { MCP_FLEET_PORT } = process.env;
const ports = MCP_FLEET_PORT === undefined ? [3001, 8080] : [Number(MCP_FLEET_PORT)];

const alive = (port: number) =>
  new Promise<boolean>((resolve) => {
    get({ host: "127.0.0.1", port, path: "/health", timeout: 2000 }, ({ statusCode }) => resolve(statusCode === 200))
      .on("timeout", () => resolve(false))
      .on("error", () => resolve(false));
  });

process.exit((await Promise.all(ports.map(alive))).includes(true) ? 0 : 1);
