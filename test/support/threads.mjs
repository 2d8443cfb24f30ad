/** Lets threads run TypeScript too: on Node 20, `--import tsx` does nothing outside the main one. */

import { isMainThread } from "node:worker_threads";
import { register } from "tsx/esm/api";

if (!isMainThread) register();
