import { expect, test } from "@jest/globals";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { FederatedService } from "../../../runtime/routing/federated-service.ts";
import type { ServiceClient } from "../../../runtime/routing/mcp-service.ts";
import { ToolSearchService } from "../../../runtime/routing/tool-search-service.ts";

test("searches that come at once take turns: between any two of them others are served", async () => {
  const all = { allTools: async () => [{ name: "notes__count", description: "Counts calls." }] };
  const service = new ToolSearchService(all as unknown as FederatedService);
  const search = () =>
    service.handle(
      {} as ServiceClient,
      "tools/call",
      { name: "find_tools", arguments: { query: "counts" } },
      new Exchange(1000),
    );
  // Makes the index.
  await search();
  const events: string[] = [];
  let over = false;
  const others = () => {
    events.push("others");
    if (!over) setImmediate(others);
  };
  setImmediate(others);
  const found = await Promise.all(
    [1, 2, 3].map(() =>
      search().then((reply) => {
        events.push("search");
        return reply;
      }),
    ),
  );
  over = true;
  expect(found[0]).toMatchObject({ result: { structuredContent: { tools: [{ name: "notes__count" }] } } });
  expect(events.join(" ").replaceAll(/(others )+/g, "others ")).toBe("others search others search others search");
});
