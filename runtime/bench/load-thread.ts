import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../errors.ts";
import { Load, type LoadPlan } from "./load.ts";

/** A thread of the load generator: says `opened`, runs, and says what it saw; or says `failed`. */
const port = parentPort as MessagePort;
try {
  const load = new Load(workerData as LoadPlan);
  await load.open();
  port.postMessage({ opened: true });
  port.postMessage({ result: await load.run() });
} catch (error) {
  port.postMessage({ failed: messageOf(error) });
}
