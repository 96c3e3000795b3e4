import type { FoundKey, Hit, Spelling } from './found-key.ts';

/** Places of one key that are told; a key that was never removed is in each version of its file. */
const PLACES_MAX = 20;
/** Keys that are told; a list of so many is no accident any more. */
const KEYS_MAX = 100_000;

/** What the server says of a key. `unknown` is also what was deleted or regenerated, and keys of other servers. */
export type State = 'live' | 'expired' | 'disabled' | 'unknown' | 'not asked';

/** The text in which a key was found. */
export interface Source {
  readonly kind: 'file' | 'stdin' | 'blob' | 'commit' | 'tag';
  /** As the user may open it; null for messages, stdin, and what no commit names. */
  readonly path: string | null;
  /** For `blob`: the first commit in which it was; null when it is in none. */
  readonly commit: string | null;
  /** The object of git; null for files and stdin. */
  readonly object: string | null;
}

export interface Place extends Source {
  readonly line: number;
  readonly column: number;
  readonly spelling: Spelling;
  /** Where the other half of a pair is. */
  readonly apiKeyLine: number | null;
}

/** One key with its secret, wherever it was found. */
export interface Finding {
  readonly key: FoundKey;
  readonly places: Place[];
  placeCount: number;
  state: State;
  /** Whose it is: what the account signs in with. */
  account: string | null;
}

export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

/** What a scan has found and what it has read. */
export class Findings {
  readonly #byKey = new Map<string, Finding>();
  readonly skipped: Skipped[] = [];
  readonly notes: string[] = [];
  /** False when something was not read that was asked for by name: a path, or a history. */
  isComplete = true;
  fileCount = 0;
  objectCount = 0;
  byteCount = 0;

  add(source: Source, { key, spelling, spot, apiKeySpot }: Hit): void {
    const name = `${key.apiKey}_${key.reveal()}`;
    let finding = this.#byKey.get(name);
    if (finding === undefined) {
      if (this.#byKey.size >= KEYS_MAX) return;
      finding = { key, places: [], placeCount: 0, state: 'not asked', account: null };
      this.#byKey.set(name, finding);
    }
    finding.placeCount += 1;
    if (finding.places.length >= PLACES_MAX) return;
    const { line, column } = spot;
    finding.places.push({ ...source, line, column, spelling, apiKeyLine: apiKeySpot?.line ?? null });
  }

  get all(): readonly Finding[] {
    return [...this.#byKey.values()];
  }
}

/** `src/a.env:3:12`, `4f2a91c07bd1:src/a.env:3:12`, `commit 4f2a91c07bd1:5:1`. */
export function formatPlace({ kind, path, commit, object, line, column }: Place): string {
  const short = (id: string | null) => id?.slice(0, 12) ?? '';
  const heads: Readonly<Record<Place['kind'], string>> = {
    file: path ?? '',
    stdin: 'stdin',
    blob: `${commit === null ? `object ${short(object)}` : short(commit)}${path === null ? '' : `:${path}`}`,
    commit: `commit ${short(object)}`,
    tag: `tag ${short(object)}`,
  };
  return `${heads[kind]}:${line}:${column}`;
}
