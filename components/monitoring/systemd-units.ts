import { bracketed } from "../../runtime/host-name.ts";
import { defaults as shared } from "../defaults.ts";
import { systemdDefaults } from "../systemd/defaults.ts";
import { credentials, tagLines } from "../systemd/fleet-units.ts";
import { bounds, hardening, lifecycle, patience } from "../systemd/hardening.ts";
import { commandLine, literal, unitText } from "../systemd/unit-text.ts";

/** Files of the component's folder, each a credential of the service that reads it. */
export const MonitoringFile = {
  Prometheus: "prometheus.yml",
  Rules: "rules.yml",
  Token: "token",
  Alertmanager: "alertmanager.yml",
} as const;

/** Where a service finds one of them, or a file that the user names for it. */
export const credentialPath = (name: string): string => `${shared.secretsFolder}/${name}`;

/** One of the services, everything known. */
export interface WatcherService {
  readonly program: string;
  readonly port: number;
  readonly cpuMillicores: number;
  readonly memoryMiB: number;
}

/** What the units of a stack are made of, everything known. */
export interface MonitoringWorkload {
  readonly unit: string;
  readonly name: string;
  readonly host: string;
  readonly retentionDays: number;
  /** Is the token a file of the component's folder? */
  readonly token: boolean;
  /** Or a file that the user names? */
  readonly tokenFile: string | undefined;
  readonly prometheus: WatcherService;
  readonly alertmanager: WatcherService;
  readonly tags: Readonly<Record<string, string>>;
}

/** `host:port`, as programs are told where to listen. */
export const listenAddress = (host: string, port: number): string => `${bracketed(host)}:${port}`;

/** Services in the order in which they are started: Prometheus has somebody to tell. */
export const monitoringInstances = (unit: string): readonly [alertmanager: string, prometheus: string] => [
  `${unit}-alertmanager.service`,
  `${unit}-prometheus.service`,
];

/** Prometheus and Alertmanager as services, each with a drop-in that holds what the stack says. */
export function monitoringUnits(workload: MonitoringWorkload): Record<string, string> {
  const { unit, host, retentionDays, prometheus, alertmanager, token, tokenFile } = workload;
  const [alerting, scraping] = monitoringInstances(unit);
  const state = systemdDefaults.stateFolder;
  return {
    ...service(workload, alerting, "Alertmanager", alertmanager, {
      command: [
        alertmanager.program,
        `--config.file=${credentialPath(MonitoringFile.Alertmanager)}`,
        `--storage.path=${state}`,
        // It is alone, and looks for no other of its kind.
        "--cluster.listen-address=",
        `--web.listen-address=${listenAddress(host, alertmanager.port)}`,
      ],
      own: [MonitoringFile.Alertmanager],
      others: {},
    }),
    ...service(workload, scraping, "Prometheus", prometheus, {
      command: [
        prometheus.program,
        `--config.file=${credentialPath(MonitoringFile.Prometheus)}`,
        `--storage.tsdb.path=${state}`,
        `--storage.tsdb.retention.time=${retentionDays}d`,
        `--web.listen-address=${listenAddress(host, prometheus.port)}`,
      ],
      own: [MonitoringFile.Prometheus, MonitoringFile.Rules, ...(token ? [MonitoringFile.Token] : [])],
      others: tokenFile === undefined ? {} : { [MonitoringFile.Token]: tokenFile },
    }),
  };
}

/** A service and its drop-in. */
function service(
  { unit, name, tags }: MonitoringWorkload,
  file: string,
  title: string,
  { cpuMillicores, memoryMiB }: WatcherService,
  runs: {
    readonly command: readonly string[];
    /** Files of the component's folder that it reads. */
    readonly own: readonly string[];
    /** Other files that it reads, by the name at which it finds each. */
    readonly others: Readonly<Record<string, string>>;
  },
): Record<string, string> {
  const state = file.replace(/\.service$/, "");
  return {
    [file]: unitText({
      Unit: [["Description", `${title} of the MCP fleet, ${literal(name)}`], ...patience],
      Service: [
        ...hardening,
        ...lifecycle,
        ["StateDirectory", state],
        ["StateDirectoryMode", "0700"],
        ["BindPaths", `%S/${state}:${systemdDefaults.stateFolder}`],
      ],
      Install: [["WantedBy", "multi-user.target"]],
    }),
    [`${file}.d/50-stack.conf`]: unitText({
      Service: [
        ["Type", "exec"],
        ["ExecStart", commandLine(runs.command)],
        ...credentials(unit, runs.own, runs.others),
        ...bounds(cpuMillicores, memoryMiB, systemdDefaults.drainMs),
      ],
      "X-Tags": tagLines(tags),
    }),
  };
}
