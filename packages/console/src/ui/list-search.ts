/**
 * What the address of a list says: so that it can be sent to somebody, and Back leads to the same place. Unknown
 * or faulty parts are dropped; each list reads the ones it has.
 */
export interface ListSearch {
  readonly q?: string;
  readonly sort?: string;
  readonly order?: 'asc' | 'desc';
  readonly rows?: number;
  /** The chosen tab or status of the list. */
  readonly filter?: string;
  /** Further filters, by the names of their list. */
  readonly account?: string;
  /** Who did it. */
  readonly actor?: string;
  readonly key?: string;
  readonly action?: string;
  readonly period?: string;
  readonly outcome?: string;
  readonly over?: number;
  readonly hours?: number;
}

const TEXTS = ['q', 'sort', 'filter', 'account', 'actor', 'key', 'action', 'period', 'outcome'] as const;
const NAMES = [...TEXTS, 'order', 'rows', 'over', 'hours'] as const;
const TEXT_CHARACTERS_MAX = 200;

function readNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}

export function readListSearch(search: Record<string, unknown>): ListSearch {
  const texts = Object.fromEntries(
    TEXTS.flatMap((name) => {
      // The router reads `q=123` as a number; people search for digits too.
      const value = typeof search[name] === 'number' ? String(search[name]) : search[name];
      return typeof value === 'string' && value !== '' ? [[name, value.slice(0, TEXT_CHARACTERS_MAX)]] : [];
    }),
  );
  const order = search['order'] === 'asc' || search['order'] === 'desc' ? search['order'] : undefined;
  const rows = readNumber(search['rows']);
  const over = readNumber(search['over']);
  const hours = readNumber(search['hours']);
  return {
    // The router takes what is left out here from the address as it is, so faulty parts are unset by name.
    ...Object.fromEntries(NAMES.filter((name) => name in search).map((name) => [name, undefined])),
    ...texts,
    ...(order === undefined ? {} : { order }),
    ...(rows === undefined ? {} : { rows }),
    ...(over === undefined ? {} : { over }),
    ...(hours === undefined ? {} : { hours }),
  };
}
