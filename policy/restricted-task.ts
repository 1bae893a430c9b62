/** The part of a container definition of ECS that is looked at. */
interface Container {
  readonly name: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly readonlyRootFilesystem?: boolean;
  readonly linuxParameters?: {
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  };
}

/** What in a task's containers, given as ECS writes them, is more than this package's own ones may. */
export function taskProblems(containerDefinitions: string): string[] {
  return (JSON.parse(containerDefinitions) as Container[]).flatMap(containerProblems);
}

function containerProblems({ name, user, privileged, readonlyRootFilesystem, linuxParameters }: Container): string[] {
  const { drop, add = [] } = linuxParameters?.capabilities ?? {};
  const rules: [boolean, string][] = [
    [/^[1-9]\d*(:|$)/.test(user ?? ""), "may run as root; set user to a number above 0"],
    [!privileged, "is privileged; remove privileged"],
    [readonlyRootFilesystem === true, "can write its root file system; set readonlyRootFilesystem to true"],
    [drop?.includes("ALL") === true, "keeps capabilities; set linuxParameters.capabilities.drop to [ALL]"],
    [add.length === 0, "adds capabilities; remove linuxParameters.capabilities.add"],
  ];
  return rules.filter(([kept]) => !kept).map(([, problem]) => `container ${name} ${problem}`);
}
