/** Replicas that claim the right bytes under the root, and with the piece list, of other ones. */

import type { Replica } from "../../src/ports.js";
import { altered } from "./broken-replica.js";
import { manifestOfBytes } from "./memory-replica.js";

/** Claims the root of `lieBytes`, gives their piece list, and delivers what `lie` does. */
export function falseRoot(honest: Replica, lie: Replica, lieBytes: Uint8Array): Replica {
  const { root, pieces } = manifestOfBytes(lieBytes);
  return altered(honest, {
    async claim(name, call) {
      const claimed = await honest.claim(name, call);
      return { ...claimed, claim: { ...claimed.claim, root } };
    },
    pieces: async () => ({ digests: pieces }),
    read: (request, call) => lie.read({ ...request, ifDigest: undefined }, call),
  });
}
