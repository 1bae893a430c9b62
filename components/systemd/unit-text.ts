/** Lines of one section, in their order; a key may come several times. */
export type Lines = readonly (readonly [key: string, value: string])[];

/** A unit file or a drop-in (systemd.syntax(7)); empty sections are left out. */
export function unitText(sections: Readonly<Record<string, Lines>>): string {
  const texts = Object.entries(sections)
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => `[${name}]\n${lines.map(([key, value]) => `${key}=${value}\n`).join("")}`);
  return texts.join("\n");
}

/** A text as it stands where specifiers (`%i`) are expanded: on one line, and none of it taken for one. */
export const literal = (text: string): string => text.replaceAll("%", "%%").replaceAll(/[\r\n]+/g, " ");

/** One word in double quotes: systemd takes it for nothing but itself, specifiers excepted. */
export function quoted(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return `"${escaped}"`;
}

/** A command line of words that no shell, and no specifier or variable of systemd's, changes. */
export const commandLine = (words: readonly string[]): string => words.map(literalWord).join(" ");

function literalWord(word: string): string {
  return quoted(word.replaceAll("%", "%%").replaceAll("$", "$$$$"));
}

/** `Environment=` of one variable; the value is literal. */
export const variable = (name: string, value: string): readonly [string, string] => [
  "Environment",
  quoted(`${name}=${value.replaceAll("%", "%%")}`),
];
