/** Servers that are hostile at the vote. */

import { amongServers } from "./among-servers.js";
import { claiming } from "./asking-vices.js";

amongServers("at the vote", ({ check }) => claiming.forEach(check));
