import { systemdDefaults as defaults } from "./defaults.ts";
import type { Lines } from "./unit-text.ts";

/**
 * A service that can do nothing but its work (systemd.exec(5)): a user of its own, no capability, no file of the machine that it could
 * change, no device, no system call beyond those of a network service. `systemd-analyze security` finds what is not here: the network
 * itself, and memory that is both written and executed, which a JIT compiler needs.
 */
export const hardening: Lines = [
  ["DynamicUser", "yes"],
  ["UMask", "0077"],
  ["NoNewPrivileges", "yes"],
  ["CapabilityBoundingSet", ""],
  ["AmbientCapabilities", ""],
  ["ProtectSystem", "strict"],
  ["ProtectHome", "yes"],
  ["PrivateTmp", "yes"],
  ["PrivateDevices", "yes"],
  ["PrivateMounts", "yes"],
  ["PrivateUsers", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectHostname", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelTunables", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectProc", "invisible"],
  ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["LockPersonality", "yes"],
  ["RemoveIPC", "yes"],
  ["KeyringMode", "private"],
  ["DevicePolicy", "closed"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallFilter", "@system-service"],
  ["SystemCallFilter", "~@privileged @resources"],
  ["SystemCallErrorNumber", "EPERM"],
];

/** Started again whenever it ends, stopped by a drain, and what it leaves behind is killed. */
export const lifecycle: Lines = [
  ["Restart", "always"],
  ["RestartSec", `${defaults.restartSeconds}`],
  ["TimeoutStartSec", `${defaults.startSeconds}`],
  // The server's processes are the gateway's or the host's to end.
  ["KillMode", "mixed"],
  ["TasksMax", `${defaults.tasks}`],
];

/** What services of one role have in common, whatever the stack says. `[Unit]` of each: it waits for the network, and is never given up. */
export const patience: Lines = [
  ["Wants", "network-online.target"],
  ["After", "network-online.target"],
  ["StartLimitIntervalSec", "0"],
];

/** Bounds on processor and memory; no swap, so that a server which eats up its memory ends instead of slowing the machine. */
export function bounds(cpuMillicores: number, memoryMiB: number, drainMs: number): Lines {
  return [
    ["CPUQuota", `${cpuMillicores / 10}%`],
    ["MemoryMax", `${memoryMiB}M`],
    ["MemorySwapMax", "0"],
    ["TimeoutStopSec", `${Math.ceil(drainMs / 1000) + defaults.graceMarginSeconds}`],
  ];
}
