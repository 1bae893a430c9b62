import { expect, test } from "@jest/globals";
import { BodyBuffers } from "../../../../runtime/upstreams/http1/body-buffers.ts";
import { HttpPool } from "../../../../runtime/upstreams/http1/index.ts";

const mebi = 1024 * 1024;

test("a buffer is used again; what lies idle is no more than 32 MiB, and none is larger than 4 MiB", () => {
  const buffers = new BodyBuffers();
  const first = buffers.take(3 * mebi);
  expect(first.length).toBe(4 * mebi);
  buffers.giveBack(first);
  expect(buffers.take(4 * mebi)).toBe(first);

  const many = Array.from({ length: 10 }, () => buffers.take(4 * mebi));
  for (const buffer of many) buffers.giveBack(buffer);
  const again = Array.from({ length: 10 }, () => buffers.take(4 * mebi));
  expect(again.filter((buffer) => many.includes(buffer)).length).toBe(8);

  const large = buffers.take(5 * mebi);
  buffers.giveBack(large);
  expect(buffers.take(5 * mebi)).not.toBe(large);
});

test("many servers keep no more idle memory than one", () => {
  const pools = ["a", "b"].map(
    (host) => new HttpPool({ url: new URL(`http://${host}/`), maxConnections: 1, connectMs: 1, maxLifetimeMs: 1 }),
  );
  expect(pools[0]?.bodies).toBe(pools[1]?.bodies);
  for (const pool of pools) pool.close();
});
