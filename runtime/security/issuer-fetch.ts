import { outgoingFetch } from "../outgoing/outgoing-fetch.ts";

/** Metadata, keys and answers about a token take some kilobytes. */
const maxBytes = 1024 * 1024;

/**
 * `fetch` for what an authorization server answers: redirects are not followed, and the body is read here, within 1 MiB and the
 * deadline of `init.signal`. Rejects with an Error past either.
 */
export async function issuerFetch(url: string, init: RequestInit): Promise<Response> {
  const response = await outgoingFetch(url, { ...init, redirect: "manual" });
  const { status, statusText, headers } = response;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > maxBytes) throw new Error(`the answer of ${new URL(url).origin} is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, statusText, headers });
}
