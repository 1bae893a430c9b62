import { expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { hostedServer, reachedServer } from "../../components/fleet/hosted-server.ts";
import { resolveFleet } from "../../components/fleet/resolve.ts";
import type { Isolation } from "../../runtime/config/schema/index.ts";

const platforms = ["docker", "kubernetes", "aws", "systemd"] as const;

test.each(platforms)("on %s a gateway keeps callers apart by sessions, which is what its host is told", (platform) => {
  const container = { image: "notes:1", command: "notes" };
  const fleet = (isolation?: Isolation) =>
    resolveFleet("notes", { platform, type: "custom", container, ...(isolation === undefined ? {} : { isolation }) });
  const both = (isolation?: Isolation) => {
    const settings = fleet(isolation);
    return [reachedServer(settings), hostedServer(settings.common, container, [])].map(
      (server) => (server as { isolation?: Isolation }).isolation,
    );
  };
  expect([both("caller"), both("session"), both("shared"), both()]).toEqual([
    ["caller", "session"],
    ["session", "session"],
    ["shared", "shared"],
    [undefined, undefined],
  ]);
});

test("an isolation that is known later is told in the same way", async () => {
  const isolation = pulumi.output("caller" as Isolation);
  const server = hostedServer({ type: "custom", isolation }, { command: "notes" }, []) as {
    isolation: pulumi.Output<string>;
  };
  expect(await new Promise((resolve) => server.isolation.apply(resolve))).toBe("session");
});
