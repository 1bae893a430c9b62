import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { TestGateway } from "../support/gateway.ts";
import { rawStatelessOver } from "../support/raw-ways.ts";

const script = join(import.meta.dirname, "../fixtures/note-server.mjs");

test.each(["shared", "session"] as const)(
  "a stateless client answers a question of a server behind another gateway (isolation %s)",
  async (isolation) => {
    const inner = await TestGateway.start({
      servers: { notes: { type: "custom", isolation, process: { command: process.execPath, args: [script] } } },
    });
    const outer = await TestGateway.start({
      servers: { notes: { type: "custom", isolation: "shared", endpoints: [`${inner.url}/mcp/notes`] } },
    });
    try {
      const questions: string[] = [];
      const way = rawStatelessOver(`${outer.url}/mcp/notes`, (question) => {
        questions.push(question);
        return '{"action":"accept","content":{"name":"Anna"}}';
      });
      const reply = await way.ask("1", "tools/call", '{"name":"ask","arguments":{}}');
      expect(questions).toHaveLength(1);
      expect(JSON.parse(reply).result.content).toEqual([{ type: "text", text: "Anna" }]);
    } finally {
      await outer.close();
      await inner.close();
    }
  },
);
