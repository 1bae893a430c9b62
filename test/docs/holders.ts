import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./pages.ts";

/** Something in `runtime/` that keeps entries or bytes for longer than one call. */
export interface Holder {
  /** Path below `runtime/`. */
  readonly file: string;
  /** Of the field, or of the constant of a module. */
  readonly name: string;
}

const made = "new (?:Map|Set|LRUCache|SlotTable|Fifo|PriorityQueue)\\b";
const forms: readonly RegExp[] = [
  // `readonly #open = new Set<Subscription>();` and `readonly #levels = priorities.map(() => new Set());`
  new RegExp(`^  (?:static )?(?:readonly )?(#?\\w+)(?:: .*)? = .*${made}`),
  // `this.#live = new LRUCache({`
  new RegExp(`^ +this\\.(#?\\w+) = .*${made}`),
  // `readonly #waiting: (() => void)[] = [];`
  /^ {2}(?:static )?(?:readonly )?(#?\w+): .*\[\] = \[\];/,
  // `const compiled = new Map<object, ValidateFunction>();`, but no table that is written out.
  new RegExp(`^(?:export )?const (\\w+)(?:: .*)? = ${made}(?:<.*>)?\\(\\)`),
];
/** Text that is gathered: `#waiting = "";` with `this.#waiting += …`. */
const text = /^ {2}(#?\w+) = "";/;
/** A field that nothing can be added to. */
const fixed = (source: string, name: string): boolean =>
  new RegExp(`^  (?:readonly )?${name}: Readonly(?:Map|Set)<`, "m").test(source);

/** Every holder of `runtime/`, by file and name. The benchmark is no part of a gateway. */
export function holders(): readonly Holder[] {
  const files = globSync("**/*.ts", { cwd: join(root, "runtime") }).filter((file) => !file.startsWith("bench/"));
  return files.sort().flatMap((file) => {
    const source = readFileSync(join(root, "runtime", file), "utf8");
    const names = new Set<string>();
    for (const line of source.split("\n")) {
      for (const form of forms) {
        const name = form.exec(line)?.[1];
        if (name !== undefined && !fixed(source, name)) names.add(name);
      }
      const gathered = text.exec(line)?.[1];
      if (gathered !== undefined && source.includes(`this.${gathered} +=`)) names.add(gathered);
    }
    return [...names].map((name) => ({ file, name }));
  });
}
