import Type, { type Static } from "typebox";

const options = { additionalProperties: false } as const;
const count = (minimum: number, description: string) => Type.Optional(Type.Integer({ minimum, description }));

/** What one instance of a server may use: its process and everything that this starts. */
export const Limits = Type.Object(
  {
    memoryMiB: count(
      1,
      "Memory of all its processes. An instance over it is ended and restarted. Defaults to no bound.",
    ),
    processes: count(1, "Processes; the same happens. Defaults to no bound."),
    cpuSeconds: count(
      1,
      "CPU time since its start, with that of processes that have ended; the same happens. Defaults to no bound.",
    ),
    diskMiB: count(
      1,
      "Its temporary folder; in a sandbox that is in memory and full at this size, elsewhere the instance is ended. Defaults to 1024 in a sandbox, to no bound elsewhere.",
    ),
    openFiles: count(
      16,
      "Open files of each process (`RLIMIT_NOFILE`); needs `prlimit` of util-linux. Defaults to the gateway's own.",
    ),
  },
  options,
);

const paths = (description: string) =>
  Type.Optional(Type.Array(Type.String({ pattern: "^/[^\u0000]*$" }), { description }));

/** What a server may see and reach: besides the system's own programs only what is named here, its command, its `cwd` and a temporary folder. */
export const Sandbox = Type.Object(
  {
    network: Type.Optional(
      Type.Boolean({ description: "It may reach everything that the gateway's machine can. Defaults to false." }),
    ),
    read: paths("Absolute paths of files and folders that it may read. Defaults to none."),
    write: paths("The same, to read and write. Defaults to none."),
  },
  { ...options, description: "Needs bubblewrap (Linux); without it the server does not start." },
);

export type Sandbox = Static<typeof Sandbox>;
export type Limits = Static<typeof Limits>;
