import { expect, test } from "@jest/globals";
import { federatedUri, splitFederatedUri, withFederatedUris } from "../../../runtime/routing/federated-uri.ts";

test("a URI tells its server and comes back unchanged, plus signs and templates included", () => {
  for (const uri of ["file:///a+b", "test://{id}", "a+b://c"]) {
    const shown = federatedUri("docs-1", uri);
    expect(shown).toBe(`docs-1+${uri}`);
    expect(splitFederatedUri(shown)).toEqual({ server: "docs-1", uri });
  }
  expect(splitFederatedUri("file:///plain")).toBeUndefined();
  expect(splitFederatedUri("+file:///plain")).toBeUndefined();
});

test("every resource that a result names can be read at /mcp; the rest is untouched", () => {
  const link = (uri: string) => ({ type: "resource_link", uri, name: "x" });
  const embedded = (uri: string) => ({ type: "resource", resource: { uri, text: "t" } });
  const text = { type: "text", text: "file:///a" };
  const result = (uri: string) => ({
    ...{ contents: [{ uri, text: "t" }], content: [text, link(uri), embedded(uri)] },
    ...{
      messages: [{ role: "user", content: embedded(uri) }],
      structuredContent: { uri: "file:///a" },
      isError: false,
    },
  });
  expect(withFederatedUris("docs", { result: result("file:///a") })).toEqual({ result: result("docs+file:///a") });
  const error = { error: { code: 1, message: "no" } };
  expect(withFederatedUris("docs", error)).toBe(error);
});
