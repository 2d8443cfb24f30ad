/** Where a replica is, and how it is reached. */

import type { ClientTls } from "./channel.js";

export interface Route {
  readonly host: string;
  readonly port: number;
  /** In plain text without. */
  readonly tls: ClientTls | undefined;
  /** Shown with each call. */
  readonly token: string | undefined;
}
