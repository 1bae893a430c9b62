// A Node.js proxy that looks at nothing: node:http on both sides, bodies piped. Arguments: the upstream's origin. Prints its port.
import { Agent, request as ask, createServer } from "node:http";

const upstream = new URL(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

const server = createServer((request, response) => {
  const { connection: _own, ...headers } = { ...request.headers, host: upstream.host };
  const { url: path, method } = request;
  const asked = ask({ host: upstream.hostname, port: upstream.port, path, method, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  asked.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  request.pipe(asked);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
