/**
 * Every bound, named, with its reason. Milliseconds and bytes. What an operator may set says so.
 * They stand in `limits/`, by what they bound; no two share a name.
 */

import { agreementLimits } from "./limits/agreement.js";
import { diskLimits } from "./limits/disk.js";
import { servingLimits } from "./limits/serving.js";
import { transferLimits } from "./limits/transfer.js";
import { wireLimits } from "./limits/wire.js";

export const limits = {
  ...agreementLimits,
  ...transferLimits,
  ...diskLimits,
  ...wireLimits,
  ...servingLimits,
} as const;
