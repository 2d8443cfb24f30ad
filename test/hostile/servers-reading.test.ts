/** Servers that are hostile in a read. */

import { amongServers } from "./among-servers.js";
import { reading } from "./vices.js";

amongServers("in a read", ({ check }) => reading.forEach(check));
