import { serveProvider } from "../protocol.ts";
import { standIn } from "./provider.ts";

serveProvider("kubernetes", "4.34.2", standIn);
