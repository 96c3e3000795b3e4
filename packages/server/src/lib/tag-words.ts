import { asciiLower } from './ascii.ts';

/**
 * The tags of a package as a text to search in: lower case, one blank before, between and after them, so that
 * ` psmodule ` finds a whole tag. Manifests part tags by blanks; some authors put commas.
 */
export function toTagWords(tags: string | null): string {
  const words = asciiLower(tags ?? '')
    .split(/[\s,;]+/)
    .filter((word) => word !== '');
  return words.length === 0 ? '' : ` ${words.join(' ')} `;
}
