/** Tells by their names alone the files that a download makes beside its output. */

/** What a name stands for. */
export interface LeftoverName {
  readonly kind: "partial" | "journal" | "lock";
  /** What is one download's has one key: its partial, journal and locks. */
  readonly key: string;
  /** The output's name, or a digest of it when that is long. */
  readonly stem: string;
  /** Set aside under this number; `undefined` for what the next run would take up. */
  readonly number: number | undefined;
  /** Whether it is of a file of one piece, which no run takes up, and which has no journal. */
  readonly isOnePiece: boolean;
}

const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const partialOrJournal = /^\.(.+)\.quorate-(part|journal)(?:\.([1-9]\d{0,8}))?$/s;
const onePiece = new RegExp(`^\\.(.+)\\.quorate-part\\.(${uuid})$`, "s");
const lock = new RegExp(`^\\.(.+)\\.quorate-part\\.lock(?:\\.taking|\\.${uuid})?$`, "s");

/** `undefined` for every name that no download gives. */
export function parseLeftoverName(name: string): LeftoverName | undefined {
  const [, stem, word, number] = partialOrJournal.exec(name) ?? [];
  if (stem !== undefined) {
    const kind = word === "part" ? "partial" : "journal";
    const key = `${number ?? ""}/${stem}`;
    const aside = number === undefined ? undefined : Number(number);
    return { kind, key, stem, number: aside, isOnePiece: false };
  }
  const [, whole, own] = onePiece.exec(name) ?? [];
  if (whole !== undefined) {
    const key = `${own}/${whole}`;
    return { kind: "partial", key, stem: whole, number: undefined, isOnePiece: true };
  }
  const [, locked] = lock.exec(name) ?? [];
  if (locked === undefined) return undefined;
  return { kind: "lock", key: `/${locked}`, stem: locked, number: undefined, isOnePiece: false };
}
