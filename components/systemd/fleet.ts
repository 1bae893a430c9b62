import * as pulumi from "@pulumi/pulumi";
import { shownSource } from "../../runtime/config/shown-source.ts";
import { childOf } from "../child-of.ts";
import { isExternal } from "../fleet/external.ts";
import { externalFleet } from "../fleet/external-fleet.ts";
import { checkFleet, reachedServer } from "../fleet/hosted-server.ts";
import type { FleetSettings } from "../fleet/resolve.ts";
import { hiddenSecrets } from "../hidden-secrets.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import { systemdDefaults as defaults } from "./defaults.ts";
import {
  environmentFile,
  type FleetWorkload,
  fleetAddresses,
  fleetSecretNames,
  fleetToken,
  fleetUnits,
  fleetWorkload,
  instanceUnit,
} from "./fleet-units.ts";
import { folderOf, unitName } from "./names.ts";
import { fleetProblems } from "./rules.ts";
import { SystemdUnits, serviceProgram } from "./systemd-units.ts";
import { quoted } from "./unit-text.ts";

/** A fleet as services of one template, an instance for each; one that something else runs has no units at all. */
export const fleet: PlatformComponents["fleet"] = (parent, name, settings) => {
  const { component, args, common } = settings;
  const problems = fleetProblems(args);
  if (problems.length > 0) throw new InputError(component, problems);
  if (isExternal(args)) return externalFleet(settings);
  checkFleet(settings, fleetSecretNames(settings));
  const unit = unitName(`${pulumi.getProject()}-${pulumi.getStack()}`, "fleet", name);
  const program = serviceProgram(args.systemd?.program);
  const hosted = args.container?.port === undefined;
  const { host, ports } = fleetAddresses(settings, unit);
  const instances = ports.map((port) => instanceUnit(unit, port));
  const units = pulumi
    .output(fleetWorkload(settings, unit, program))
    .apply((workload) => fleetUnits(workload as FleetWorkload));
  const { type, version } = common as { type: string; version?: pulumi.Input<string> };
  const deployed = new SystemdUnits(
    `${name}-units`,
    {
      unitDirectory: args.systemd?.unitDirectory ?? defaults.unitDirectory,
      units,
      folder: folderOf(unit),
      files: secretFiles(settings),
      tokens: hosted ? [fleetToken] : [],
      instances,
      addresses: hosted ? {} : Object.fromEntries(ports.map((port, index) => [instances[index], `${host}:${port}`])),
      programs: hosted ? program : [],
      preset: type === "custom" ? undefined : { type, version },
      source: pulumi
        .all([args.container?.command ?? "", args.container?.args ?? []])
        .apply(([command, args]) => shownSource({ process: { command, args } })),
    },
    childOf(parent)(),
  );
  const path = hosted ? defaults.path : (args.container?.path ?? defaults.path);
  const endpoints = ports.map((port) => pulumi.interpolate`http://${host}:${port}${path}`);
  const value = `file:${folderOf(unit)}/${fleetToken}`;
  const access = hosted ? { credentials: { header: { scheme: "Bearer", value } } } : {};
  return {
    serverName: deployed.id.apply(() => name),
    source: deployed.source,
    configuration: pulumi.jsonStringify({ ...reachedServer(settings), ...access, endpoints, protocol: "http" }),
    internalEndpoint: endpoints[0] as pulumi.Output<string>,
    metricsTarget: pulumi.output(hosted ? `http://${host}:${ports[0]}/metrics` : ""),
  };
};

/** Secrets as files: one each for the server host, together as an environment for a server that knows of no files. */
function secretFiles(settings: FleetSettings): Record<string, pulumi.Input<string>> {
  const { secretEnv = {}, port } = hiddenSecrets(settings.args).container ?? {};
  if (port === undefined) return secretEnv;
  const names = Object.keys(secretEnv);
  if (names.length === 0) return {};
  const lines = pulumi.all(names.map((name) => secretEnv[name] as pulumi.Input<string>));
  return {
    [environmentFile]: lines.apply((values) =>
      names.map((name, index) => `${name}=${quoted(values[index] as string)}\n`).join(""),
    ),
  };
}
