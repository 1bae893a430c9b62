import * as pulumi from "@pulumi/pulumi";

const fix = "give a gateway and its fleets the same process.stateDirectory, and each gateway one of its own";

/** Where the configuration of each fleet of this program lies. */
const ofFleets = new WeakMap<object, { readonly name: string; readonly folder: string }>();
/** The gateway of each state folder, by run of a program. */
const ofGateways = new WeakMap<object, Map<string, string>>();

/** Notes where the configuration of a fleet lies. */
export function noteFleet(fleet: object, name: string, folder: string): void {
  ofFleets.set(fleet, { name, folder });
}

/** What keeps a gateway from having this folder: a fleet of another one, or another gateway. */
export function folderProblems(name: string, folder: string, fleets: readonly object[]): string[] {
  const problems = fleets.flatMap((fleet) => {
    const other = ofFleets.get(fleet);
    if (other === undefined || other.folder === folder) return [];
    return [`fleets: "${other.name}" is in the state folder ${other.folder}, the gateway in ${folder}; ${fix}`];
  });
  const gateways = gatewaysOfRun();
  const first = gateways.get(folder);
  if (first !== undefined && first !== name)
    problems.push(`process.stateDirectory: ${folder} is that of the gateway "${first}" already; ${fix}`);
  else gateways.set(folder, name);
  return problems;
}

function gatewaysOfRun(): Map<string, string> {
  // One process can run several programs, such as with the Automation API; each has a monitor of its own.
  const run = pulumi.runtime.getMonitor() ?? ofGateways;
  const gateways = ofGateways.get(run) ?? new Map<string, string>();
  ofGateways.set(run, gateways);
  return gateways;
}
