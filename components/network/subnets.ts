/** Addresses of one zone's two subnets. */
export interface ZoneCidrs {
  readonly publicCidr: string;
  readonly privateCidr: string;
}

/** Subnets of a block of size 16: private ones have 4096 addresses each, public ones 256, at the block's end. */
export function zoneCidrs(cidrBlock: string, zones: number): ZoneCidrs[] {
  const [first, second] = cidrBlock.split(".");
  return Array.from({ length: zones }, (_, index) => ({
    privateCidr: `${first}.${second}.${index * 16}.0/20`,
    publicCidr: `${first}.${second}.${240 + index}.0/24`,
  }));
}

/** What is wrong with a network's block and its zones; undefined when nothing is. */
export function networkProblems({ cidrBlock, zones }: { cidrBlock: string; zones: number }): string[] {
  const problems: string[] = [];
  const [, ...parts] = /^(\d{1,3})\.(\d{1,3})\.0\.0\/16$/.exec(cidrBlock) ?? [];
  if (parts.length === 0 || parts.some((part) => Number(part) > 255)) {
    problems.push(`cidrBlock is "${cidrBlock}"; give a block of size 16 such as 10.42.0.0/16`);
  }
  if (zones < 2 || zones > 6) problems.push(`zones has ${zones} entries; give two to six availability zones`);
  return problems;
}
