import { isDeepStrictEqual } from "node:util";
import {
  checked,
  compared,
  created,
  found,
  type Handler,
  looked,
  nothing,
  type Properties,
  plain,
  type Request,
  type Struct,
  serveProvider,
  updated,
  wire,
} from "./protocol.ts";

export type { Properties } from "./protocol.ts";

/** A resource after an operation. */
export interface Standing {
  readonly id: string;
  readonly outputs: Properties;
  /** Inputs as they are now, as far as that is seen; a difference from what was declared is drift. */
  readonly inputs?: Properties;
}

/** What a stand-in can do with one type of resource. */
export interface Kind {
  /** Does the provider choose a name where none is given? */
  readonly autonamed: boolean;
  /** Is it deleted before its replacement is made, unless the program says otherwise? Defaults to false. */
  readonly deleteBeforeReplace?: boolean;
  /** Inputs that are changed in place by `update`; when another one changes, the resource is replaced. Defaults to none. */
  readonly updatable?: readonly string[];
  /** What is wrong with inputs, before anything is made or changed. */
  refuses?(inputs: Properties): readonly string[];
  /** In place of `updatable`: what has changed, and which of that makes a new resource. Throws for a change that is refused. */
  differences?(olds: Properties, news: Properties): Differences;
  create(inputs: Properties): Promise<Standing>;
  /** Undefined when it has gone. */
  read(id: string, outputs: Properties): Promise<Standing | undefined>;
  update?(id: string, news: Properties, olds: Properties): Promise<Properties>;
  delete(id: string, outputs: Properties): Promise<void>;
}

/** What a comparison of inputs has found. */
export interface Differences {
  readonly changed: readonly string[];
  readonly replaces: readonly string[];
}

/** Look-ups by their token. */
export type LookUps = Readonly<Record<string, (args: Properties) => Promise<Properties>>>;

/** Serves a stand-in made of kinds of resources and of look-ups; what it does not know is an error. */
export function serve(
  name: string,
  version: string,
  kinds: Readonly<Record<string, Kind>>,
  lookUps: LookUps = {},
): void {
  const kindOf = (request: Request): Kind => {
    const type = request.getUrn().split("::")[2]?.split("$").at(-1) as string;
    const kind = kinds[type];
    if (kind === undefined) throw new Error(`the stand-in for ${name} knows no ${type}`);
    return kind;
  };
  const handlers: Readonly<Record<string, Handler>> = {
    check: async (request) => {
      const { __defaults: _, ...inputs } = plain(request.getNews());
      const resource = request.getUrn().split("::").at(-1);
      const name = plain(request.getOlds()).name ?? `${resource}-${Math.random().toString(16).slice(2, 9)}`;
      const kind = kindOf(request);
      const complete = kind.autonamed && inputs.name === undefined ? { ...inputs, name } : inputs;
      return checked(wire(complete) as unknown as Struct, kind.refuses?.(complete));
    },
    diff: async (request) => {
      const { differences } = kindOf(request);
      if (differences !== undefined) {
        const found = differences(plain(request.getOldInputs()), plain(request.getNews()));
        return compared(found.changed, found.replaces);
      }
      const { name: before, ...olds } = plain(request.getOldInputs());
      const { name: after, ...news } = plain(request.getNews());
      const keys = Object.keys({ ...olds, ...news }).filter((key) => !isDeepStrictEqual(olds[key], news[key]));
      const changed = before === after ? keys : [...keys, "name"];
      const { updatable = [], deleteBeforeReplace = false } = kindOf(request);
      return compared(
        changed,
        changed.filter((key) => !updatable.includes(key)),
        deleteBeforeReplace,
      );
    },
    create: async (request) => {
      const inputs = plain(request.getProperties());
      if (request.getPreview()) return created(undefined, inputs);
      const { id, outputs } = await kindOf(request).create(inputs);
      return created(id, { ...inputs, ...outputs });
    },
    update: async (request) => {
      const [olds, news] = [plain(request.getOlds()), plain(request.getNews())];
      const before = Object.keys(plain(request.getOldInputs()));
      const kept = Object.fromEntries(Object.entries(olds).filter(([key]) => !before.includes(key)));
      if (request.getPreview()) return updated({ ...kept, ...news });
      const outputs = await kindOf(request).update?.(request.getId(), news, olds);
      return updated({ ...kept, ...news, ...outputs });
    },
    read: async (request) => {
      const properties = plain(request.getProperties());
      const live = await kindOf(request).read(request.getId(), properties);
      if (live === undefined) return found();
      const inputs = { ...plain(request.getInputs()), ...live.inputs };
      return found({ id: live.id, inputs, properties: { ...properties, ...live.inputs, ...live.outputs } });
    },
    delete: async (request) => {
      await kindOf(request).delete(request.getId(), plain(request.getProperties()));
      return nothing();
    },
    invoke: async (request) => {
      const lookUp = lookUps[request.getTok()];
      if (lookUp === undefined) throw new Error(`the stand-in for ${name} knows no ${request.getTok()}`);
      return looked(await lookUp(plain(request.getArgs())));
    },
  };
  serveProvider(name, version, handlers);
}
