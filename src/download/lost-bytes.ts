/** Counts what replicas send and nobody takes any more: a receipt shall say what all of it cost. */

import type { Replica } from "../ports.js";
import type { Lessons } from "./doubt/lessons.js";
import type { Replicas } from "./survey.js";

/** The same replicas; what is lost of their reads is counted. */
export function countingLost(replicas: Replicas, lessons: Lessons): Replicas {
  return new Map(
    [...replicas].map(([id, replica]): [typeof id, Replica] => {
      const onLost = (bytes: number) => lessons.received(id, bytes);
      return [
        id,
        {
          claim: (name, call) => replica.claim(name, call),
          size: (name, call) => replica.size(name, call),
          pieces: (request, call) => replica.pieces(request, call),
          list: (request, call) => replica.list(request, call),
          read: (request, call) => replica.read({ ...request, onLost }, call),
        },
      ];
    }),
  );
}
