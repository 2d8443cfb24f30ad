/** Asks the replicas which files they serve, and counts who serves what. */

import { messageOf } from "../errors.js";
import { limits } from "../limits.js";
import { type Clock, type FileEntry, type Replica, ReplicaFault } from "../ports.js";
import { faultText } from "../schedule/faults.js";
import { nameProblem } from "../trust/name.js";
import type { ReplicaId } from "../trust/quorum.js";
import type { Replicas } from "./survey.js";

/**
 * A name, and the replicas that say they serve it. Sizes may differ: that is for a survey to judge.
 */
export interface Offer {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly replicas: readonly ReplicaId[];
}

/** What all replicas offer, in the order of names, and those that gave no answer. */
export interface Offers {
  /** How many were asked: a server that was named twice is one. */
  readonly asked: number;
  readonly offers: readonly Offer[];
  readonly silent: readonly { readonly replica: ReplicaId; readonly why: string }[];
}

/**
 * Asks all replicas at once for all pages of their lists. Names that break the grammar are left
 * out.
 */
export async function list(
  replicas: Replicas,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<Offers> {
  const silent: { replica: ReplicaId; why: string }[] = [];
  const byName = new Map<string, { sizes: number[]; replicas: ReplicaId[] }>();
  const answers = [...replicas].map(async ([id, replica]) => {
    try {
      return { id, files: await filesOf(replica, signal, clock) };
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof ReplicaFault ? faultText(error.fault) : messageOf(error);
      silent.push({ replica: id, why });
      return { id, files: [] };
    }
  });
  for (const { id, files } of await Promise.all(answers)) {
    for (const { name, size } of files) {
      const offer = byName.get(name) ?? { sizes: [], replicas: [] };
      if (offer.replicas.includes(id)) continue;
      offer.replicas.push(id);
      if (!offer.sizes.includes(size)) offer.sizes.push(size);
      byName.set(name, offer);
    }
  }
  const offers = [...byName].map(([name, offer]) => ({ name, ...offer }));
  offers.sort((left, right) => (left.name < right.name ? -1 : 1));
  return { asked: replicas.size, offers, silent };
}

/** A server of the core calls only has no list: it has one file, or nobody can tell. */
async function filesOf(replica: Replica, signal: AbortSignal, clock: Clock): Promise<FileEntry[]> {
  try {
    return await allPages(replica, signal, clock);
  } catch (error) {
    if (!(error instanceof ReplicaFault) || error.fault.kind !== "incompatible") throw error;
    const only = await replica.size("", { signal, deadlineMs: limits.surveyMs }).catch(() => {
      signal.throwIfAborted();
      throw error;
    });
    if (nameProblem(only.name) !== undefined) throw error;
    return [only];
  }
}

/** Each page in the time of a survey, all of them within a bound: a slow one holds up everybody. */
async function allPages(replica: Replica, signal: AbortSignal, clock: Clock): Promise<FileEntry[]> {
  const since = clock.now();
  const files: FileEntry[] = [];
  let pageToken = "";
  for (let pages = 0; pages < limits.listedFiles / limits.listPageFiles; pages++) {
    const asked = { pageSize: limits.listPageFiles, pageToken, prefix: "" };
    const waitedMs = clock.now() - since;
    const isLate = waitedMs > limits.listMs;
    if (isLate) throw new ReplicaFault({ kind: "late", clock: "answer", waitedMs });
    const page = await replica.list(asked, { signal, deadlineMs: limits.surveyMs });
    files.push(...page.files.filter(({ name }) => nameProblem(name) === undefined));
    if (page.nextPageToken === "" || page.nextPageToken === pageToken) break;
    pageToken = page.nextPageToken;
  }
  return files.slice(0, limits.listedFiles);
}
