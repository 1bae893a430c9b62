import { Command, Option } from "commander";
import { FleetError } from "../errors.ts";
import { portNumber } from "./listen-options.ts";

interface CoordinatorCommandOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly allowedHost?: readonly string[];
  /** Refused: every process of the machine can read it in the process list. */
  readonly token?: string;
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
    .addOption(new Option("--token <token>").hideHelp())
    .action(async ({ host, port, tokenFile, allowedHost, token: shown }: CoordinatorCommandOptions) => {
      if (shown !== undefined) {
        const fix = "give it by --token-file, or in MCP_FLEET_COORDINATOR_TOKEN, and make a new one";
        throw new FleetError("CONFIG_INVALID", `--token: other users see it in the process list; ${fix}`);
      }
      const { ClusterCoordinator, clusterToken } = await import("../orchestrator/cluster/index.ts");
      const token = clusterToken({ tokenFile });
      const coordinator = await ClusterCoordinator.start({ host, port, token, allowedHosts: allowedHost ?? [] });
      console.log(coordinator.url);
      const end = () => void coordinator.close();
      process.once("SIGTERM", end).once("SIGINT", end);
    });
}
