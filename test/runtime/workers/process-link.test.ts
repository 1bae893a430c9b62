import { expect, test } from "@jest/globals";
import { encodeNotification, encodeRequest } from "../../../runtime/protocol/json-rpc.ts";
import { leasedMethod, ownMethod, releasedMethod } from "../../../runtime/workers/process-link.ts";

test.each([
  [encodeNotification(leasedMethod, { owner: "anna" }), leasedMethod],
  [encodeNotification(releasedMethod), releasedMethod],
  [encodeNotification("notifications/cancelled", { requestId: 1 }), undefined],
  [encodeNotification("notifications/mcp-fleet/other"), undefined],
  [encodeRequest(1, "tools/call", { method: leasedMethod, owner: "bert" }), undefined],
  [encodeRequest(1, "tools/call", { arguments: { method: releasedMethod } }), undefined],
  [encodeNotification("notifications/x", { method: leasedMethod, owner: "bert" }), undefined],
])("what a client puts into a call takes nobody's process: %s", (line, method) => {
  expect(ownMethod(line)).toBe(method);
});
