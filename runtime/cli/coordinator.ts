import { Command, Option } from "commander";
import { portNumber } from "./listen-options.ts";

/** `mcp-fleet coordinator`: where the nodes of a cluster meet, until SIGTERM or SIGINT. */
export function coordinatorCommand(): Command {
  return new Command("coordinator")
    .description("Run the meeting point of a cluster's nodes.")
    .addOption(new Option("--host <address>", "anything but loopback needs a token").default("127.0.0.1"))
    .addOption(new Option("--port <number>", "0 takes a free one").argParser(portNumber).default(8090))
    .addOption(new Option("--token <token>", "what nodes must send").env("MCP_FLEET_COORDINATOR_TOKEN"))
    .action(async (options: { host: string; port: number; token?: string }) => {
      const { ClusterCoordinator } = await import("../orchestrator/cluster/index.ts");
      const coordinator = await ClusterCoordinator.start(options);
      console.log(coordinator.url);
      const end = () => void coordinator.close();
      process.once("SIGTERM", end).once("SIGINT", end);
    });
}
