import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { findNeedles, toNeedle } from '../../packages/testkit/src/needles.ts';
import { consoleOf } from './guard.ts';

/** A place in a page and all the text that is in it. */
interface Place {
  readonly name: string;
  readonly text: string;
}

/** Runs in the page. It hands everything out; the secret itself never comes in, or it would be found there. */
async function readPage(): Promise<Place[]> {
  const places: Place[] = [];
  const add = (name: string, value: unknown) => {
    if (value === null || value === undefined || value === '') return;
    places.push({ name, text: typeof value === 'string' ? value : JSON.stringify(value) });
  };
  const readElement = (element: Element) => {
    const tag = element.localName;
    for (const { name, value } of element.attributes) add(`attribute ${name} of <${tag}>`, value);
    if ('value' in element) add(`value of <${tag}>`, element.value);
    for (const child of element.childNodes) {
      if (child.nodeType !== Node.ELEMENT_NODE) add(`text of <${tag}>`, child.nodeValue);
    }
    for (const child of element.shadowRoot?.querySelectorAll('*') ?? []) readElement(child);
  };
  for (const element of document.querySelectorAll('*')) readElement(element);
  add('rendered text', document.body.innerText);
  add('title', document.title);
  add('URL', location.href);
  add('referrer', document.referrer);
  add('window.name', window.name);
  add('history.state', history.state);
  add('document.cookie', document.cookie);
  for (const [name, storage] of Object.entries({ localStorage, sessionStorage })) {
    for (const key of Object.keys(storage)) add(`${name} ${key}`, `${key}=${storage.getItem(key)}`);
  }
  // Browsers give it to pages of safe addresses only.
  const cacheNames = 'caches' in globalThis ? await caches.keys() : [];
  for (const name of cacheNames) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const answer = await cache.match(request);
      add(`cache ${name}`, `${request.url} ${(await answer?.text()) ?? ''}`);
    }
  }
  const settled = <Value>(request: IDBRequest<Value>) =>
    new Promise<Value>((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => reject(request.error ?? new Error('The database is silent.')));
    });
  for (const { name = '' } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const objects = database.transaction(store).objectStore(store);
      add(`IndexedDB ${name}.${store}`, [
        await settled(objects.getAllKeys()),
        await settled(objects.getAll()),
      ]);
    }
    database.close();
  }
  return places;
}

/**
 * Where a secret is to be found in a page: text, attributes and values of all elements, address, history, every
 * kind of storage, cookies, and what was written to the console; plain or encoded (hexadecimal, base64). Empty
 * when it is nowhere. For memory see `heapContains`.
 */
export async function secretLeaks(page: Page, secret: string): Promise<readonly string[]> {
  const places: Place[] = [];
  for (const frame of page.frames()) places.push(...(await frame.evaluate(readPage)));
  for (const { name, value } of await page.context().cookies())
    places.push({ name: `cookie ${name}`, text: value });
  for (const text of consoleOf(page)) places.push({ name: 'console', text });
  const needle = toNeedle('secret', secret);
  const found = places.filter(({ text }) => findNeedles(Buffer.from(text), [needle]).length > 0);
  return [...new Set(found.map(({ name }) => name))];
}

/** Finds texts in a stream of chunks, also where one begins in one chunk and ends in the next. */
export class StreamSearch {
  readonly #spellings: readonly (readonly [needle: string, spelling: string])[];
  readonly #overlap: number;
  readonly #found = new Set<string>();
  #tail = '';

  constructor(needles: readonly string[]) {
    this.#spellings = needles.flatMap((needle) =>
      toNeedle(needle, needle).spellings.map((spelling) => [needle, spelling.toString('latin1')] as const),
    );
    this.#overlap = Math.max(...this.#spellings.map(([, spelling]) => spelling.length)) - 1;
  }

  push(chunk: string): void {
    const text = this.#tail + chunk;
    for (const [needle, spelling] of this.#spellings) if (text.includes(spelling)) this.#found.add(needle);
    this.#tail = text.slice(-this.#overlap);
  }

  get found(): readonly string[] {
    return [...this.#found];
  }
}

const MARK = 'heapControl';

/** Puts a text into the page that exists there only at the end of a long string, where a cut would lose it. */
async function plantControl(page: Page): Promise<string> {
  const halves = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')] as const;
  await page.evaluate(
    ([name, first, second]) => {
      const texts = Array.from({ length: 5_000 }, () => '-');
      Object.assign(globalThis, { [name]: [...texts, first, second].join('') });
    },
    [MARK, ...halves] as const,
  );
  return halves.join('');
}

/**
 * Which of the needles are in the memory of the page's scripts, after a forced collection of what nobody holds any
 * more. Needles are ASCII. It throws when it cannot find a text that it has put there itself.
 *
 * Text that only the browser holds (a text node that no script has read) is for `secretLeaks` to find.
 */
export async function heapContains(page: Page, needles: readonly string[]): Promise<readonly string[]> {
  const control = await plantControl(page);
  const session = await page.context().newCDPSession(page);
  const search = new StreamSearch([...needles, control]);
  try {
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => search.push(chunk));
    await session.send('HeapProfiler.enable');
    // The first collection runs finalizers, whose own garbage the second takes.
    await session.send('HeapProfiler.collectGarbage');
    await session.send('HeapProfiler.collectGarbage');
    await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    await session.send('HeapProfiler.disable');
  } finally {
    await session.detach();
    await page.evaluate((name) => Reflect.deleteProperty(globalThis, name), MARK);
  }
  if (!search.found.includes(control)) throw new Error('The search in the heap snapshot is blind.');
  return search.found.filter((needle) => needle !== control);
}
