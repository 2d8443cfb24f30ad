/** Servers that are hostile with the piece list. */

import { amongServers } from "./among-servers.js";
import { listing } from "./asking-vices.js";

amongServers("with the piece list", ({ check }) => listing.forEach(check));
