import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { unknownFleets } from "../gateway/reference-rules.ts";
import { checkedGateway } from "../gateway/resolve.ts";
import { hiddenSecrets } from "../hidden-secrets.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import { systemdDefaults as defaults } from "./defaults.ts";
import { gatewayConfigText, type KnownFleet, servedFleets } from "./gateway-config.ts";
import { configCredential, type GatewayWorkload, gatewayInstances, gatewayUnits } from "./gateway-units.ts";
import { folderOf, unitName } from "./names.ts";
import { gatewayProblems } from "./rules.ts";
import { SystemdUnits, serviceProgram } from "./systemd-units.ts";

/** A gateway as a service with a socket that the service manager listens on. */
export const gateway: PlatformComponents["gateway"] = (parent, name, settings) => {
  const { component, common, args, tags } = settings;
  const problems = [...gatewayProblems(name, args), ...unknownFleets(args.fleets)];
  if (problems.length > 0) throw new InputError(component, problems);
  checkedGateway(component, common);
  const unit = unitName(`${pulumi.getProject()}-${pulumi.getStack()}`, "gateway", name);
  const program = serviceProgram(args.systemd?.program);
  const { secrets = {} } = hiddenSecrets(args);
  const { host = defaults.host, port = defaults.port } = args;
  const fleets = pulumi.output(args.fleets.map(({ serverName, configuration }) => ({ serverName, configuration })));
  const served = fleets.apply((found) => servedFleets(found as readonly KnownFleet[]));
  const config = pulumi
    .all([pulumi.output(common), served])
    .apply(([known, { servers }]) => gatewayConfigText(settings, known, servers));
  const units = pulumi
    .all([
      served,
      pulumi.output({
        ...{ unit, name, program, host, port, tags },
        drainMs: (common.drainMs as pulumi.Input<number> | undefined) ?? defaults.drainMs,
        secrets: Object.keys(secrets),
        secretFiles: args.systemd?.secretFiles ?? {},
        cpuMillicores: args.container?.cpuMillicores ?? defaults.cpuMillicores,
        memoryMiB: args.container?.memoryMiB ?? defaults.memoryMiB,
      }),
    ])
    .apply(([{ tokens }, workload]) => {
      const { secretFiles, ...rest } = workload as GatewayWorkload;
      return gatewayUnits({ ...rest, secretFiles: { ...secretFiles, ...tokens } });
    });
  const deployed = new SystemdUnits(
    `${name}-units`,
    {
      unitDirectory: args.systemd?.unitDirectory ?? defaults.unitDirectory,
      units,
      folder: folderOf(unit),
      files: { ...secrets, [configCredential]: config },
      tokens: [],
      instances: gatewayInstances(unit),
      addresses: {},
      programs: program,
      preset: undefined,
      source: program.join(" "),
    },
    childOf(parent)(),
  );
  const scheme = args.tls === undefined ? "http" : "https";
  const url = deployed.id.apply(() => pulumi.interpolate`${scheme}://${host}:${port}`);
  return { url, internalUrl: url, status: deployed.status };
};
