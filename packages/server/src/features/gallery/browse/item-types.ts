/** What a PowerShell package holds, as its publishing commands say it in tags. */
export interface ItemTypes {
  readonly kind: 'module' | 'script';
  /** `Core` and `Desktop`. */
  readonly editions: readonly string[];
  readonly functions: readonly string[];
  readonly cmdlets: readonly string[];
  /** All that can be called, those of scripts and aliases too. */
  readonly commands: readonly string[];
  readonly dscResources: readonly string[];
  readonly roleCapabilities: readonly string[];
  readonly workflows: readonly string[];
}

export interface ReadTags {
  /** Those that the author chose. */
  readonly tags: readonly string[];
  /** Null for a package that is none of PowerShell's. */
  readonly itemTypes: ItemTypes | null;
}

type ListName = Exclude<keyof ItemTypes, 'kind'>;

const LISTS: Readonly<Record<string, ListName>> = {
  psedition: 'editions',
  psfunction: 'functions',
  pscmdlet: 'cmdlets',
  pscommand: 'commands',
  psdscresource: 'dscResources',
  psrolecapability: 'roleCapabilities',
  psworkflow: 'workflows',
};
const PREFIXED = /^(ps[a-z]+)_(.+)$/i;

/** Parts the tags that people wrote from those by which PowerShell's commands describe a package. */
export function readTags(text: string | null): ReadTags {
  const words = [...new Set((text ?? '').split(/[\s,;]+/).filter((word) => word !== ''))];
  const has = (name: string) => words.some((word) => word.toLowerCase() === name);
  const kind = has('psmodule') ? 'module' : has('psscript') ? 'script' : null;
  if (kind === null) return { tags: words, itemTypes: null };
  const tags: string[] = [];
  const lists: Record<ListName, string[]> = {
    editions: [],
    functions: [],
    cmdlets: [],
    commands: [],
    dscResources: [],
    roleCapabilities: [],
    workflows: [],
  };
  for (const word of words) {
    const [, prefix = '', name = ''] = PREFIXED.exec(word) ?? [];
    const list = LISTS[prefix.toLowerCase()];
    if (list !== undefined) lists[list].push(name);
    else if (!/^(?:ps(?:module|script)|psincludes_.*)$/i.test(word)) tags.push(word);
  }
  return { tags, itemTypes: { kind, ...lists } };
}
