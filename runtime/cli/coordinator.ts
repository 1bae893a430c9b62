import { Command, InvalidArgumentError, Option } from "commander";
import { portNumber } from "./listen-options.ts";

interface CoordinatorCommandOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly allowedHost?: readonly string[];
}

/** `mcp-fleet coordinator`: where the nodes of a cluster meet, until SIGTERM or SIGINT. */
export function coordinatorCommand(): Command {
  return new Command("coordinator")
    .description("Run the meeting point of a cluster's nodes.")
    .addOption(new Option("--host <address>", "address to listen on").default("127.0.0.1"))
    .addOption(new Option("--port <number>", "0 takes a free one").argParser(portNumber).default(8090))
    .addOption(
      new Option("--token-file <path>", "file with the token that nodes send; else MCP_FLEET_COORDINATOR_TOKEN").env(
        "MCP_FLEET_COORDINATOR_TOKEN_FILE",
      ),
    )
    .addOption(
      new Option("--allowed-host <names>", "names that nodes call this machine by, with commas between them")
        .argParser((text: string) => text.split(","))
        .env("MCP_FLEET_ALLOWED_HOSTS"),
    )
    .addOption(new Option("--token <token>").argParser(shownToAll).hideHelp())
    .action(async ({ host, port, tokenFile, allowedHost }: CoordinatorCommandOptions) => {
      const { ClusterCoordinator, clusterToken } = await import("../orchestrator/cluster/index.ts");
      const token = clusterToken({ tokenFile });
      const coordinator = await ClusterCoordinator.start({ host, port, token, allowedHosts: allowedHost ?? [] });
      console.log(coordinator.url);
      const end = () => void coordinator.close();
      process.once("SIGTERM", end).once("SIGINT", end);
    });
}

/** A secret among the arguments is in the process list. */
function shownToAll(): never {
  const fix = "give it by --token-file, or in MCP_FLEET_COORDINATOR_TOKEN";
  throw new InvalidArgumentError(`every process of this machine can read it in the process list; ${fix}.`);
}
