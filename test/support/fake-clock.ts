/** Virtual time for tests with replicas in memory, which take some turns of the event loop. */

import { VirtualClock } from "./virtual-clock.js";

export class FakeClock extends VirtualClock {
  constructor(now = 1_000) {
    super({ now, idleTurns: 8 });
  }
}
