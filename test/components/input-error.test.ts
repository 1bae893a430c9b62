import { expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../../index.ts";

const { serializeProperties } = pulumi.runtime as unknown as {
  serializeProperties(label: string, properties: object): Promise<object>;
};

test("a mistake that is found inside an output is said once, with component and field", async () => {
  const mistake = new InputError('MCPGateway "gateway"', ["port: is 0; give a number >= 1"]);
  const data = Promise.reject(mistake);
  const outputs = { outputs: { spec: { data } } };
  await expect(serializeProperties("gateway-config", outputs)).rejects.toBe(mistake);
  expect(mistake.message).toBe('MCPGateway "gateway": port: is 0; give a number >= 1');
  expect(String(mistake)).toBe('InputError: MCPGateway "gateway": port: is 0; give a number >= 1');
});
