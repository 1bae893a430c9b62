import { isDeepStrictEqual } from "node:util";
import type { Differences, Kind, Properties } from "../serve.ts";
import { type Answer, type AwsApi, orGone } from "./api.ts";
import { providerRules } from "./provider-rules.ts";

/** A resource as AWS describes it, in the words of Pulumi's provider. */
export interface Live {
  /** Inputs, as far as AWS tells them. */
  readonly inputs: Properties;
  /** What AWS alone knows, such as an ARN. */
  readonly outputs?: Properties;
}

/** One type of resource: its inputs, and the actions of AWS behind its operations. */
export interface Described {
  readonly autonamed?: boolean;
  /** Every input that is acted upon; any other one is refused, so that nothing is declared and not done. */
  readonly inputs: readonly string[];
  /** Returns the id. */
  create(inputs: Answer): Promise<string>;
  /** Undefined when it has gone. */
  live(id: string, known: Answer): Promise<Live | undefined>;
  /** What is done when one of these inputs changes; several of one action are done once. */
  readonly update?: Readonly<Record<string, (id: string, news: Answer, olds: Answer) => Promise<unknown>>>;
  /** It is right when the resource has gone before. */
  delete(id: string, known: Answer): Promise<unknown>;
}

/** Makes of it what the stand-in serves: a refresh shows live inputs in place of declared ones, and only of those. */
export function kindOf(type: string, described: Described): Kind {
  const refuse = (inputs: Properties) => {
    const strange = Object.keys(inputs).filter((key) => !described.inputs.includes(key));
    if (strange.length > 0) throw new Error(`the stand-in for aws does not know ${strange.join(", ")} of ${type}`);
  };
  const outputsOf = async (id: string, known: Properties): Promise<Properties> => {
    const live = await described.live(id, known);
    if (live === undefined) throw new Error(`${type} ${id} is not there after it was made`);
    return live.outputs ?? {};
  };
  const { update = {} } = described;
  return {
    autonamed: described.autonamed === true,
    refuses: (inputs) => providerRules[type]?.refuses?.(inputs) ?? [],
    differences: (olds, news) => differencesOf(type, olds, news),
    async create(inputs) {
      refuse(inputs);
      const id = await described.create(inputs);
      return { id, outputs: await outputsOf(id, inputs) };
    },
    async read(id, known) {
      const live = await described.live(id, known);
      if (live === undefined) return undefined;
      const declared = Object.entries(live.inputs).filter(
        ([key, value]) => known[key] !== undefined && value !== undefined,
      );
      return { id, inputs: Object.fromEntries(declared), outputs: live.outputs ?? {} };
    },
    delete: async (id, known) => void (await orGone(described.delete(id, known))),
    async update(id, news, olds) {
      refuse(news);
      const { changed } = differencesOf(
        type,
        Object.fromEntries(described.inputs.map((key) => [key, olds[key]])),
        news,
      );
      const unable = changed.filter((key) => update[key] === undefined && !ownAffairs.includes(key));
      if (unable.length > 0) throw new Error(`the stand-in for aws does not change ${unable.join(", ")} of ${type}`);
      for (const action of new Set(changed.map((key) => update[key]))) await action?.(id, news, olds);
      return outputsOf(id, { ...olds, ...news });
    },
  };
}

/** Inputs that only the provider itself reads: what it waits for, and what it asks for with every change. */
const ownAffairs = ["waitForSteadyState", "forceNewDeployment", "recoveryWindowInDays"];

/** What changes between inputs as the provider compares them, and what of it makes a new resource. Throws what it refuses. */
export function differencesOf(type: string, olds: Properties, news: Properties): Differences {
  const rules = providerRules[type];
  if (rules === undefined) throw new Error(`the stand-in for aws has no rules of the provider for ${type}`);
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter((key) => key !== "__defaults");
  const changed = keys.filter((key) => !(rules.compares?.[key] ?? isDeepStrictEqual)(olds[key], news[key]));
  const refused = rules.refusesChange?.(olds, news, changed) ?? [];
  if (refused.length > 0) throw new Error(refused.join("; "));
  const replaces = changed.filter((key) => rules.replaces.includes(key));
  return { changed, replaces: [...replaces, ...(rules.replacesFor?.(olds, news, changed) ?? [])] };
}

/** Makes kinds of descriptions, by type. */
export const kindsOf = (described: Readonly<Record<string, Described>>): Record<string, Kind> =>
  Object.fromEntries(Object.entries(described).map(([type, one]) => [type, kindOf(type, one)]));

/** Tags as most services write them. */
export const tagList = (tags: Readonly<Record<string, string>> = {}) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
/** The same in the words of ECS. */
export const lowTagList = (tags: Readonly<Record<string, string>> = {}) =>
  Object.entries(tags).map(([key, value]) => ({ key, value }));
/** Tags of either spelling as an object. */
export const tagsOf = (list: Answer[] = []): Record<string, string> =>
  Object.fromEntries(list.map((tag) => [tag.Key ?? tag.key, tag.Value ?? tag.value]));
/** Names of tags that are no more. */
export const goneTags = (olds: Answer, news: Answer): string[] =>
  Object.keys(olds.tags ?? {}).filter((key) => news.tags?.[key] === undefined);

/** What is done when tags change of a resource of EC2, which have all one way. */
export const ec2Tags = (api: AwsApi) => async (id: string, news: Answer, olds: Answer) => {
  const gone = goneTags(olds, news).map((Key) => ({ Key }));
  if (gone.length > 0) await api.call("ec2", "DeleteTags", { Resources: [id], Tags: gone });
  await api.call("ec2", "CreateTags", { Resources: [id], Tags: tagList(news.tags) });
};

/** Names of fields as the older services of AWS write them, all the way down: `cidrBlock` becomes `CidrBlock`. */
export function capitalised(value: unknown): Answer {
  if (Array.isArray(value)) return value.map(capitalised);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [(key[0] as string).toUpperCase() + key.slice(1), capitalised(item)]),
  );
}

/** The other way round. */
export function lowered(value: unknown): Answer {
  if (Array.isArray(value)) return value.map(lowered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [(key[0] as string).toLowerCase() + key.slice(1), lowered(item)]),
  );
}

/** Does what is live have all that was declared? Services fill in what nobody declares. */
export function covers(live: unknown, declared: unknown): boolean {
  if (typeof declared !== "object" || declared === null) return live === declared;
  if (typeof live !== "object" || live === null) return false;
  if (Array.isArray(declared) && declared.length !== (live as unknown[]).length) return false;
  return Object.entries(declared).every(([key, item]) => covers((live as Record<string, unknown>)[key], item));
}
