import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { bareHost, bracketed } from "../host-name.ts";

/** Where a tunnel leads. */
export interface TunnelTarget {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Longest answer of a proxy to CONNECT. */
const maxHeadBytes = 16 * 1024;

/**
 * Opens a connection to a target through an HTTP proxy (CONNECT; RFC 9110, section 9.3.6), with the credentials of the
 * proxy's URL. `done` is called once, with a connection that nobody reads yet. Returns the connection to the proxy, for
 * whoever gives up earlier.
 */
export function openTunnel(
  proxy: URL,
  target: TunnelTarget,
  done: (error: Error | undefined, socket: Socket) => void,
): Socket {
  const host = bareHost(proxy.hostname);
  const secure = proxy.protocol === "https:";
  const port = Number(proxy.port || (secure ? 443 : 80));
  const socket = secure
    ? connectTls({ host, port, servername: isIP(host) === 0 ? host : "", ALPNProtocols: ["http/1.1"] })
    : connect({ host, port });
  let head = Buffer.alloc(0);
  const settle = (problem?: string) => {
    socket.off("readable", read).off("error", failed).off("close", closed);
    if (problem === undefined) done(undefined, socket);
    else {
      socket.on("error", () => {}).destroy();
      done(new Error(`the proxy ${proxy.host} ${problem}`), socket);
    }
  };
  const failed = (error: NodeJS.ErrnoException) =>
    settle(`cannot be reached (${error.message || error.code}); check HTTP_PROXY and HTTPS_PROXY`);
  const closed = () => settle(`closed the connection before it had opened one to ${target.host}`);
  const read = () => {
    for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end >= 0) {
        const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString("latin1", 0, end))?.[1];
        if (status === undefined) settle("does not speak HTTP/1.1");
        else if (!status.startsWith("2"))
          settle(`answered HTTP ${status} to CONNECT ${authorityOf(target)}${fixOf(status)}`);
        else {
          if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
          settle();
        }
        return;
      }
      if (head.length > maxHeadBytes) {
        settle("answers CONNECT without end");
        return;
      }
    }
  };
  socket.on("readable", read).on("error", failed).on("close", closed);
  const authority = authorityOf(target);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentialsOf(proxy)}\r\n`);
  return socket;
}

const authorityOf = ({ host, port }: TunnelTarget): string => `${bracketed(host)}:${port}`;

const fixOf = (status: string): string =>
  status === "407"
    ? "; give user:password@ in the proxy's URL"
    : "; let the proxy open it, or name the host in NO_PROXY";

function credentialsOf({ username, password }: URL): string {
  if (username === "" && password === "") return "";
  const text = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  return `proxy-authorization: Basic ${text}\r\n`;
}
