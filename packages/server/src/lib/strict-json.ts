export const JSON_DEPTH_MAX = 32;
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/** Why a JSON text was refused; `path` is empty where no member is to blame. */
export class JsonFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonFault';
  }
}

/**
 * `JSON.parse` that also refuses what two parsers may read differently: a member named twice (the first or
 * the last?), members that reach into prototypes, unpaired surrogates, U+0000 (which PostgreSQL cannot store),
 * and nesting deeper than 32.
 *
 * @throws JsonFault with a message for the caller.
 */
export function parseStrictJson(text: string): unknown {
  // A byte order mark is what some editors put in front of a pasted body; it carries no meaning.
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (!json.isWellFormed()) throw new JsonFault('The body contains an unpaired surrogate; send valid UTF-8.');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new JsonFault('The body is not valid JSON.');
  }
  checkMembers(json);
  return value;
}

/** Walks a text that `JSON.parse` has accepted, so the grammar needs no checking here. */
function checkMembers(json: string): void {
  // One entry a level: the names seen in an object, or null for an array.
  const levels: (Set<string> | null)[] = [];
  let isName = false;
  for (let index = 0; index < json.length; index += 1) {
    const character = json[index];
    if (character === '"') {
      const end = findStringEnd(json, index);
      const text = readString(json.slice(index, end + 1));
      const names = levels.at(-1);
      if (isName && names) addName(names, text);
      isName = false;
      index = end;
    } else if (character === '{' || character === '[') {
      levels.push(character === '{' ? new Set() : null);
      isName = character === '{';
      if (levels.length > JSON_DEPTH_MAX)
        throw new JsonFault(`The body is nested deeper than ${JSON_DEPTH_MAX} levels.`);
    } else if (character === '}' || character === ']') {
      levels.pop();
    } else if (character === ',') {
      isName = levels.at(-1) !== null;
    }
  }
}

function findStringEnd(json: string, start: number): number {
  let index = start + 1;
  while (json[index] !== '"') index += json[index] === '\\' ? 2 : 1;
  return index;
}

/** The text between the quotes. Only an escape can hold what the raw body cannot. */
function readString(json: string): string {
  if (!json.includes('\\')) return json.slice(1, -1);
  const text = JSON.parse(json) as string;
  if (!text.isWellFormed())
    throw new JsonFault('The body contains an unpaired surrogate; send valid Unicode.');
  if (text.includes('\0'))
    throw new JsonFault('The body contains the character U+0000, which no text may hold.');
  return text;
}

function addName(names: Set<string>, name: string): void {
  if (FORBIDDEN_NAMES.has(name)) throw new JsonFault(`The member name "${name}" is not allowed.`);
  if (names.has(name)) throw new JsonFault(`The member "${name.slice(0, 64)}" is named twice.`);
  names.add(name);
}
