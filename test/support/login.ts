import type { ResolvedServer } from "../../runtime/config/index.ts";
import { Sealer } from "../../runtime/protocol/sealer.ts";
import { sessionKeys } from "../../runtime/protocol/session-keys.ts";
import { loginTo, sealingPurpose, TokenStore } from "../../runtime/upstreams/credentials/index.ts";

/** The tokens that a gateway of the tests keeps in its state folder. */
export const tokenStore = async (stateDirectory: string): Promise<TokenStore> =>
  new TokenStore(stateDirectory, new Sealer(sealingPurpose, await sessionKeys(undefined, stateDirectory)));

/** A browser that follows every redirect: the authorization servers of tests approve at once. */
export async function browse(page: string): Promise<void> {
  await browseTo(page, undefined);
}

/** The same as far as a URL that begins with `end`, which is not asked for; rejects when there is none. */
export async function comeBack(page: URL, end: string): Promise<URL> {
  const back = await browseTo(page.href, end);
  if (back === null) throw new Error(`${page.href} does not lead to ${end}`);
  return new URL(back);
}

async function browseTo(page: string, end: string | undefined): Promise<string | null> {
  const cookies = new Map<string, string>();
  let next: string | null = page;
  while (next !== null && (end === undefined || !next.startsWith(end))) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response: Response = await fetch(next, { redirect: "manual", headers: cookie === "" ? {} : { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.slice(0, line.indexOf(";")).split(/=(.*)/s);
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    next = location && new URL(location, next).href;
  }
  return next;
}

/** Logs in like a person with such a browser. */
export async function logIn(server: ResolvedServer, stateDirectory: string) {
  const open = (page: URL) => void browse(page.href);
  return loginTo(server, { store: await tokenStore(stateDirectory), clock: Date.now, open, timeoutMs: 10_000 });
}
