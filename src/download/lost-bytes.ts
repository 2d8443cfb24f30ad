/** Counts what replicas send and nobody takes any more: a receipt shall say what all of it cost. */

import { type Replica, sameReplica } from "../ports.js";
import type { Lessons } from "./doubt/lessons.js";
import type { Replicas } from "./survey.js";

/** The same replicas; what is lost of their reads is counted. */
export function countingLost(replicas: Replicas, lessons: Lessons): Replicas {
  return new Map(
    [...replicas].map(([id, replica]): [typeof id, Replica] => {
      const onLost = (bytes: number) => lessons.received(id, bytes);
      const read: Replica["read"] = (request, call) => replica.read({ ...request, onLost }, call);
      return [id, { ...sameReplica(replica), read }];
    }),
  );
}
