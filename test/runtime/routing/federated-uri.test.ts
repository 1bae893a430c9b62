import { expect, test } from "@jest/globals";
import { RawReply } from "../../../runtime/protocol/raw-reply.ts";
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

test("a result that names no resource is the same, unread", () => {
  const reply = new RawReply('{"content":[{"type":"text","text":"\\"uri\\": 1.0"}], "structuredContent":{"id":1.0}}');
  expect(withFederatedUris("docs", reply)).toBe(reply);
});

test.each(["uri", "\\u0075ri", "ur\\u0069"])("a resource is found however its member %s is written", (name) => {
  const reply = new RawReply(`{"content":[{"type":"resource_link","${name}":"file:///a","size":1.0},2.0]}`);
  expect(JSON.stringify(withFederatedUris("docs", reply))).toBe(
    '{"result":{"content":[{"type":"resource_link","uri":"docs+file:///a","size":1.0},2.0]}}',
  );
});
