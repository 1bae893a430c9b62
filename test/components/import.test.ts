import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

test("importing the package loads no provider's SDK; a component that needs one does", () => {
  const program = `
    const { MCPServerFleet } = await import(${JSON.stringify(join(import.meta.dirname, "../../index.ts"))});
    const { createRequire } = await import("node:module");
    const pulumi = await import("@pulumi/pulumi");
    const loaded = () => {
      const files = Object.keys(createRequire(import.meta.url).cache);
      return ["kubernetes", "aws", "docker"].filter((name) => files.some((file) => file.includes("/@pulumi/" + name + "/")));
    };
    const before = loaded();
    const mocks = { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: ({ inputs }) => inputs };
    await pulumi.runtime.setMocks(mocks);
    new MCPServerFleet("notes", { platform: "kubernetes", type: "context7", container: { image: "x" } });
    process.stdout.write(JSON.stringify([before, loaded()]));
  `;
  const text = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: join(import.meta.dirname, "../.."),
    encoding: "utf8",
  });
  expect(JSON.parse(text)).toEqual([[], ["kubernetes"]]);
});
