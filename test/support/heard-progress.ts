import type { Client } from "@modelcontextprotocol/client";

/**
 * Makes a call and says what progress came with it. Heard at the transport: when the last notification comes in one packet
 * with the result, the SDK's client has forgotten the call's progress before it looks at it.
 */
export async function heardProgress<T>(
  client: Client,
  call: (options: { readonly onprogress: () => void }) => Promise<T>,
): Promise<{ readonly result: T; readonly progress: number[] }> {
  const progress: number[] = [];
  const transport = client.transport as NonNullable<Client["transport"]>;
  const { onmessage } = transport;
  transport.onmessage = (message, extra) => {
    if ("method" in message && message.method === "notifications/progress") {
      progress.push((message.params as { progress: number }).progress);
    }
    onmessage?.(message, extra);
  };
  try {
    // The option makes the client ask for progress.
    return { result: await call({ onprogress: () => {} }), progress };
  } finally {
    transport.onmessage = onmessage;
  }
}
