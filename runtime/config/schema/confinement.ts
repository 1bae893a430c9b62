import Type, { type Static } from "typebox";

const options = { additionalProperties: false } as const;
const count = (minimum: number, description: string) => Type.Optional(Type.Integer({ minimum, description }));

/** What one instance of a server may use: its process and everything that this starts. */
export const Limits = Type.Object(
  {
    memoryMiB: count(
      1,
      "Resident memory; pages that several processes share count for each. An instance over it is ended and started anew. Defaults to no bound.",
    ),
    processes: count(1, "Processes; the same happens. Defaults to no bound."),
    cpuSeconds: count(
      1,
      "CPU time since its start, with that of processes that have ended; the same happens. Defaults to no bound.",
    ),
    openFiles: count(
      16,
      "Open files of each process (`RLIMIT_NOFILE`); needs `prlimit` of util-linux. Defaults to the gateway's own.",
    ),
  },
  options,
);

export type Limits = Static<typeof Limits>;
