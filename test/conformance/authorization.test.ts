import { expect, test } from "@jest/globals";
import { AuthorizationServer } from "../support/authorization-server.ts";
import { freePort } from "../support/checkout.ts";
import { authorizationConformance } from "../support/conformance.ts";
import { browse } from "../support/login.ts";
import { authorizationCells } from "./cells.ts";

// The official suite's scenarios for authorization servers, against the real one that the tests of OAuth start: what is
// shown with it is shown with a server that conforms.
test("metadata and authorization code", async () => {
  const port = await freePort();
  const client = {
    ...{ client_id: "suite", token_endpoint_auth_method: "none", application_type: "native" },
    ...{ redirect_uris: [`http://127.0.0.1:${port}/callback`], grant_types: ["authorization_code"] },
  } as const;
  const server = await AuthorizationServer.start({ clients: [client as never] });
  const resource = "http://127.0.0.1/mcp";
  try {
    const args = ["--url", server.issuer, "--client-id", "suite", "--port", String(port), "--resource", resource];
    const { passed, failed, log } = await authorizationConformance(args, browse);
    expect({ passed, failed, log: failed.length === 0 ? "" : log }).toEqual({
      passed: authorizationCells.map(({ scenario }) => scenario),
      ...{ failed: [], log: "" },
    });
    expect(server.granted).toEqual([{ grant: "authorization_code", client: "suite", resource, scope: undefined }]);
  } finally {
    await server.close();
  }
});
