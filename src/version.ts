/** Which version of this package is running. */

import { createRequire } from "node:module";

export const { version } = createRequire(import.meta.url)("quorate/package.json") as {
  readonly version: string;
};
