import type * as pulumi from "@pulumi/pulumi";

/** What services of fleets and gateways have in common. */
export interface SystemdServiceArgs {
  /** Folder of the service manager for unit files. Defaults to `/etc/systemd/system`. Plain, because it decides where files are. */
  unitDirectory?: string;
  /** Executable `mcp-fleet` that services run, outside of homes and folders for temporary files. Defaults to that of this package. Plain, because it decides what is checked. */
  program?: string;
  /** Files of this machine that hold secrets, by the secret's name, in place of secrets given here; only root need be able to read them. Defaults to none. */
  secretFiles?: Record<string, pulumi.Input<string>>;
}

/** The `systemd` platform's own block of a fleet. */
export interface FleetSystemdArgs extends SystemdServiceArgs {
  /** May the server reach anything but this machine, such as the internet? Defaults to false. */
  egress?: pulumi.Input<boolean>;
}

/** The `systemd` platform's own block of a gateway. */
export interface GatewaySystemdArgs extends SystemdServiceArgs {}
