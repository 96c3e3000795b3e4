import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Block, readMarkdown } from './markdown-blocks.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** A page whose blocks a test executes, or compares with what really happens. */
export interface DocPage {
  /** Every block, in order, the marked ones too. */
  readonly blocks: readonly Block[];
  /**
   * Hands out the first block that nobody has claimed yet and that is as described; after that it counts as executed.
   * A marked block can be claimed as well. Throws when there is none.
   *
   * @example
   * const create = page.claim('sh', 'keys create');
   * const answer = page.claim((block) => block.language === 'json' && block.text.includes('"token"'));
   */
  claim(language: string, part?: string): Block;
  claim(isWanted: (block: Block) => boolean): Block;
  /** The same for all blocks that are as described: at least one. */
  claimAll(language: string, part?: string): Block[];
  claimAll(isWanted: (block: Block) => boolean): Block[];
  /** Throws with `page:line` of each block that nobody claimed and that is not marked `<!-- not executed here: … -->`. */
  expectAllClaimed(): void;
}

type Wanted = string | ((block: Block) => boolean);

/** @param page Relative to the repository, as `docs/gallery/private.md`; that is how `npm run docs:count` finds the test. */
export function openPage(page: string): DocPage {
  const { blocks, faults } = readMarkdown(readFileSync(path.join(ROOT, page), 'utf8'));
  const [fault] = faults;
  if (fault !== undefined) throw new Error(`${page}:${fault.line}: ${fault.message}`);
  const claimed = new Set<Block>();
  const claimAll = (wanted: Wanted, part = '', limit = Number.POSITIVE_INFINITY): Block[] => {
    const isWanted =
      typeof wanted === 'function'
        ? wanted
        : (block: Block) => block.language === wanted && block.text.includes(part);
    const found = blocks.filter((block) => !claimed.has(block) && isWanted(block)).slice(0, limit);
    if (found.length === 0) {
      const what = typeof wanted === 'function' ? 'such' : `"${wanted}" with "${part}"`;
      throw new Error(`${page} has no block ${what} that is still unclaimed.`);
    }
    for (const block of found) claimed.add(block);
    return found;
  };
  return {
    blocks,
    claim: (wanted: Wanted, part?: string) => {
      const [block] = claimAll(wanted, part, 1);
      if (block === undefined) throw new Error('unreachable: an empty find throws');
      return block;
    },
    claimAll: (wanted: Wanted, part?: string) => claimAll(wanted, part),
    expectAllClaimed: () => {
      const left = blocks.filter((block) => block.reasonNotExecuted === null && !claimed.has(block));
      if (left.length === 0) return;
      const places = left.map((block) => `  ${page}:${block.line}: ${block.text.split('\n')[0] ?? ''}`);
      throw new Error(
        `No test executes these blocks; execute them, or mark them with the reason:\n${places.join('\n')}`,
      );
    },
  };
}
