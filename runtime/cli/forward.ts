import { FleetError, messageOf } from "../errors.ts";
import { PortForwarder } from "../listeners/port-forwarder.ts";
import { portNumber } from "./listen-options.ts";
import { untilSignal } from "./until-signal.ts";

/** Keeps MCP_FLEET_PORT open for the gateway at `to` (`host:port`), until SIGTERM or SIGINT. Rejects with ADDRESS_IN_USE. */
export async function forward(to: string): Promise<void> {
  const { MCP_FLEET_HOST = "127.0.0.1", MCP_FLEET_PORT = "8080" } = process.env;
  const { hostname, port } = new URL(`tcp://${to}`);
  const forwarder = new PortForwarder({
    host: MCP_FLEET_HOST,
    port: portNumber(MCP_FLEET_PORT),
    to: { host: hostname, port: portNumber(port) },
  });
  try {
    await forwarder.listen();
  } catch (error) {
    throw new FleetError(
      "ADDRESS_IN_USE",
      `cannot listen on ${MCP_FLEET_HOST}:${MCP_FLEET_PORT} (${messageOf(error)})`,
    );
  }
  await untilSignal();
  await forwarder.close();
}
