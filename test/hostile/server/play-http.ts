import type { Fault } from "../faults.ts";
import type { Desk, Message, Step } from "./desk.ts";

const json = "content-type: application/json\r\n";

/** One whole HTTP response, with a right length unless `more` says another one. */
export function response(body: string, more = "", status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\n${json}content-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
}

/** Faults of the HTTP layer. */
export async function* playHttp(_desk: Desk, _request: Message, fault: Fault, right: string): AsyncGenerator<Step> {
  const length = Buffer.byteLength(right);
  const head = (more: string) => `HTTP/1.1 200 OK\r\n${json}${more}\r\n`;
  switch (fault) {
    case "content-length too short":
      return yield { raw: `${head(`content-length: ${length - 5}\r\n`)}${right}` };
    case "content-length too long":
      return yield { raw: `${head(`content-length: ${length + 5}\r\n`)}${right}` };
    case "two content-lengths":
      return yield { raw: `${head(`content-length: ${length}\r\ncontent-length: ${length - 1}\r\n`)}${right}` };
    case "length and chunks":
      return yield {
        raw: `${head(`content-length: ${length}\r\ntransfer-encoding: chunked\r\n`)}${length.toString(16)}\r\n${right}\r\n0\r\n\r\n`,
      };
    case "redirects":
      return yield { raw: response("", "location: /elsewhere\r\n", "307 Temporary Redirect") };
    case "status 500":
      return yield { raw: response("<html>no</html>", "", "500 Internal Server Error") };
    case "status 401": {
      const challenge = 'www-authenticate: Bearer resource_metadata="http://127.0.0.1:9/x"\r\n';
      return yield { raw: response("", challenge, "401 Unauthorized") };
    }
    case "status 1e3":
      return yield { raw: response(right, "", "1e3 Odd") };
    case "tab before the colon":
      return yield { raw: response(right, "x-odd\t: 1\r\n") };
    case "wrong content type":
      return yield { raw: response(right).replace("application/json", "text/html") };
    case "early responses":
      for (let at = 0; at < 200; at += 1) yield { raw: "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" };
      return yield { raw: response(right) };
    case "endless trailers":
      yield { raw: `${head("transfer-encoding: chunked\r\n")}${length.toString(16)}\r\n${right}\r\n0\r\n` };
      for (let at = 0; at < 20_000; at += 1) yield { raw: `x-trailer-${at}: ${"x".repeat(100)}\r\n` };
      return;
    case "session id changes":
      return yield { raw: response(right, "mcp-session-id: another\r\n") };
    case "forgets the session":
      return yield { raw: response("", "", "404 Not Found") };
    case "answers on the GET stream":
      yield { aside: right };
      return yield { say: right };
    default:
      throw new Error(`no server plays "${fault}"`);
  }
}
