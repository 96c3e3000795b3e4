import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { CliError } from '../failures.ts';
import { type World, write } from '../world.ts';

/** One object of a repository that may hold keys, and its content in parts. */
export interface GitText {
  readonly kind: 'blob' | 'commit' | 'tag';
  readonly id: string;
  /** The oldest commit in which it is; null for what is in no commit. */
  readonly commit: string | null;
  /** Its name there; null for messages and for what no commit names. */
  readonly path: string | null;
}

export interface GitReader {
  /** Before each object. */
  begin(text: GitText): void;
  part(bytes: Buffer): void;
  /** After each object; may wait, so that others get a turn. */
  end(): Promise<void>;
}

const KINDS: readonly string[] = ['blob', 'commit', 'tag'] satisfies GitText['kind'][];
const LF = 0x0a;
const STDERR_CHARACTERS_MAX = 2_000;

/** What git needs to start and to trust the folder. In a hook, others would point it at another repository. */
const PASSED_ON = /^(PATH|HOME|XDG_CONFIG_HOME|USERPROFILE|SystemRoot|GIT_CONFIG_\w+|GIT_EXEC_PATH)$/i;
/** What tells git in a hook which index is about to be committed. */
const PASSED_ON_IN_HOOKS = /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES)$/;

export interface Repository {
  readonly folder: string;
  readonly env: World['env'];
  /** Whether the program runs in a hook of this repository: then git is told what it told the hook. */
  readonly isOfHook?: boolean;
}

function start({ folder, env, isOfHook = false }: Repository, words: readonly string[]) {
  const isPassedOn = (name: string) => PASSED_ON.test(name) || (isOfHook && PASSED_ON_IN_HOOKS.test(name));
  const passedOn = Object.fromEntries(Object.entries(env).filter(([name]) => isPassedOn(name)));
  // The repository may be hostile. What its configuration names as a monitor of files is not run, and what a partial
  // clone lacks is not fetched: the variable goes before whatever the configuration allows.
  const child = spawn('git', ['-C', folder, '-c', 'core.fsmonitor=false', '--no-replace-objects', ...words], {
    env: {
      ...passedOn,
      GIT_ALLOW_PROTOCOL: 'none',
      GIT_NO_LAZY_FETCH: '1',
      GIT_TERMINAL_PROMPT: '0',
      LC_ALL: 'C',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(0, STDERR_CHARACTERS_MAX);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (error) =>
      reject(
        new CliError(
          'cli.git',
          `git does not start (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
          {
            remedy: 'Install git, or scan files only, without --git.',
          },
        ),
      ),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new CliError('cli.git', `git refused in ${folder}: ${reasonIn(said)}`));
    });
  });
  // Whoever reads its output awaits this afterwards; until then an early failure must not end the program.
  ended.catch(() => {});
  // A program that ends early closes its input; its exit code says why.
  child.stdin.on('error', () => {});
  return { child, ended };
}

/** Below what is wrong, git tells at length what to do about it. */
function reasonIn(said: string): string {
  const lines = said.trim().split('\n');
  return lines.find((line) => line.startsWith('fatal: ')) ?? lines.at(-1) ?? '';
}

async function* readLines(stream: Readable, lineEnd: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = `${rest}${String(chunk)}`.split(lineEnd);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** Files as they are staged: id and name. Most are in a commit too; the rest is what is about to be committed. */
async function readIndex(repository: Repository): Promise<Map<string, string>> {
  const list = start(repository, ['ls-files', '--stage', '-z']);
  list.child.stdin.end();
  const staged = new Map<string, string>();
  for await (const entry of readLines(list.child.stdout, '\0')) {
    // A submodule (160000) has its objects in a repository of its own.
    const [, id, name] = /^(?!160000)\d+ ([0-9a-f]+) \d\t(.*)$/s.exec(entry) ?? [];
    if (id !== undefined && name !== undefined) staged.set(id, name);
  }
  // A bare repository has no index, and git ends with an error.
  await list.ended.catch(() => {});
  return staged;
}

/** Every object with its type: from refs and their logs (which hold amended commits and stashes), then the index. */
async function* listObjects(repository: Repository, isUnreachableToo: boolean): AsyncGenerator<GitText> {
  const staged = await readIndex(repository);
  const seen = new Set<string>();
  const list = start(repository, [
    'rev-list',
    '--objects',
    '--in-commit-order',
    '--reverse',
    '--missing=allow-any',
    '--all',
    '--reflog',
  ]);
  list.child.stdin.end();
  const check = start(repository, [
    'cat-file',
    '--batch-check=%(objectname) %(objecttype) %(rest)',
    '--buffer',
  ]);
  list.child.stdout.pipe(check.child.stdin);
  let commit: string | null = null;
  for await (const line of readLines(check.child.stdout, '\n')) {
    const text = readObjectLine(line, commit);
    if (text === null) continue;
    if (text.kind === 'commit') commit = text.id;
    staged.delete(text.id);
    if (isUnreachableToo) seen.add(text.id);
    yield text;
  }
  await Promise.all([list.ended, check.ended]);
  for (const [id, path] of staged) {
    seen.add(id);
    yield { kind: 'blob', id, commit: null, path };
  }
  if (isUnreachableToo) yield* listRest(repository, seen);
}

async function* listRest(repository: Repository, seen: ReadonlySet<string>): AsyncGenerator<GitText> {
  const format = '--batch-check=%(objectname) %(objecttype)';
  const all = start(repository, ['cat-file', '--batch-all-objects', format, '--unordered', '--buffer']);
  all.child.stdin.end();
  for await (const line of readLines(all.child.stdout, '\n')) {
    const text = readObjectLine(line, null);
    if (text !== null && !seen.has(text.id)) yield text;
  }
  await all.ended;
}

/** `<id> <type> <name>`; null for folders and for what is missing. */
function readObjectLine(line: string, commit: string | null): GitText | null {
  const [, id = '', kind = '', name = ''] = /^([0-9a-f]+) (\w+) ?(.*)$/s.exec(line) ?? [];
  if (!KINDS.includes(kind)) return null;
  const isBlob = kind === 'blob';
  return {
    kind: kind as GitText['kind'],
    id,
    commit: isBlob ? commit : null,
    path: isBlob && name !== '' ? name : null,
  };
}

/** Parts what `cat-file --batch` writes into objects, in the order in which they were asked for. */
class BatchReader {
  readonly #asked: GitText[];
  readonly #reader: GitReader;
  #header: Buffer = Buffer.alloc(0);
  /** Bytes of the object under way that are still to come, its LF included; 0 between two objects. */
  #left = 0;
  missingCount = 0;

  constructor(asked: GitText[], reader: GitReader) {
    this.#asked = asked;
    this.#reader = reader;
  }

  async read(chunk: Buffer): Promise<void> {
    let at = 0;
    while (at < chunk.length)
      at = this.#left === 0 ? this.#readHeader(chunk, at) : await this.#readContent(chunk, at);
  }

  #readHeader(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(LF, at);
    this.#header = Buffer.concat([this.#header, chunk.subarray(at, end < 0 ? chunk.length : end)]);
    if (end < 0) return chunk.length;
    const size = / (\d+)$/.exec(this.#header.toString('latin1'))?.[1];
    this.#header = Buffer.alloc(0);
    const text = this.#asked.shift();
    if (size === undefined || text === undefined) this.missingCount += 1;
    else {
      this.#left = Number(size) + 1;
      this.#reader.begin(text);
    }
    return end + 1;
  }

  async #readContent(chunk: Buffer, at: number): Promise<number> {
    const taken = Math.min(chunk.length - at, this.#left);
    const isEnd = taken === this.#left;
    this.#left -= taken;
    this.#reader.part(chunk.subarray(at, at + taken - (isEnd ? 1 : 0)));
    if (isEnd) await this.#reader.end();
    return at + taken;
  }
}

/** Files that are staged and not as they were in the last commit. */
async function* listStaged(repository: Repository): AsyncGenerator<GitText> {
  const form = ['--raw', '-z', '--no-abbrev', '--no-renames', '--no-ext-diff', '--diff-filter=AMT'];
  const diff = start(repository, ['diff', '--cached', ...form]);
  diff.child.stdin.end();
  let id: string | null = null;
  // Each file is two entries: modes and ids, then its name.
  for await (const entry of readLines(diff.child.stdout, '\0')) {
    if (id === null) {
      id = entry.split(' ')[3] ?? '';
      continue;
    }
    yield { kind: 'blob', id, commit: null, path: entry };
    id = null;
  }
  await diff.ended;
}

async function readObjects(
  repository: Repository,
  texts: AsyncIterable<GitText>,
  reader: GitReader,
): Promise<number> {
  const { child, ended } = start(repository, ['cat-file', '--batch', '--buffer']);
  const asked: GitText[] = [];
  const ask = async () => {
    try {
      for await (const text of texts) {
        asked.push(text);
        // git writes while it is asked; what it cannot write yet holds this up, so that `asked` stays short.
        await write(child.stdin, `${text.id}\n`);
      }
    } finally {
      child.stdin.end();
    }
  };
  const batch = new BatchReader(asked, reader);
  const read = async () => {
    for await (const chunk of child.stdout) await batch.read(chunk as Buffer);
  };
  await Promise.all([read(), ask()]);
  await ended;
  return batch.missingCount;
}

/**
 * Reads the history of a repository: every blob once, with the first commit and name under which it was, and the
 * messages of all commits and tags. Nothing is checked out, no hook or filter of the repository runs.
 *
 * @param isUnreachableToo whether to read what no branch, tag or log leads to, too
 * @returns how many objects are missing, as in a shallow or partial clone
 * @throws cli.git when git is not there or refuses
 */
export async function readHistory(
  repository: Repository,
  isUnreachableToo: boolean,
  reader: GitReader,
): Promise<number> {
  return await readObjects(repository, listObjects(repository, isUnreachableToo), reader);
}

/** Whether older commits were left out when it was cloned, as CI does. */
export async function isShallow(repository: Repository): Promise<boolean> {
  const { child, ended } = start(repository, ['rev-parse', '--is-shallow-repository']);
  child.stdin.end();
  let said = '';
  for await (const line of readLines(child.stdout, '\n')) said += line;
  await ended;
  return said === 'true';
}

/**
 * Reads what is about to be committed, whole files as they are staged.
 *
 * @returns how many of them git does not have: submodules
 * @throws cli.git when git is not there or refuses
 */
export async function readStaged(repository: Repository, reader: GitReader): Promise<number> {
  return await readObjects(repository, listStaged(repository), reader);
}
