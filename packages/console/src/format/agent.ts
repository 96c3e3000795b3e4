import { splitGraphemes, stripInvisible } from './initials.ts';

const HEADER_CHARACTERS_MAX = 512;
const WORDS_CHARACTERS_MAX = 40;

interface Client {
  readonly pattern: RegExp;
  readonly name: string;
  /** How many numbers of the version tell one release from another; 2 unless said. */
  readonly versionParts?: number;
}

// The first that matches counts, so what carries the name of another stands before that other.
const CLIENTS: readonly Client[] = [
  { pattern: /^keyreeve(?:-cli)?(?:\/(\S+))?/i, name: 'keyreeve CLI' },
  { pattern: /\bPSResourceGet\/(\S+)/i, name: 'PSResourceGet' },
  { pattern: /\bPowerShellGet\/(\S+)/i, name: 'PowerShellGet', versionParts: 3 },
  { pattern: /^NuGet\b[^/]*(?:\/(\S+))?/i, name: 'NuGet' },
  { pattern: /\b(?:Windows)?PowerShell\/(\S+)/i, name: 'PowerShell' },
  { pattern: /^curl(?:\/(\S+))?/i, name: 'curl' },
  { pattern: /^wget(?:\/(\S+))?/i, name: 'Wget' },
  { pattern: /^python-requests(?:\/(\S+))?/i, name: 'Python requests' },
  { pattern: /^python-httpx(?:\/(\S+))?/i, name: 'Python httpx' },
  { pattern: /^python-urllib3?(?:\/(\S+))?/i, name: 'Python urllib' },
  { pattern: /^Go-http-client\b/i, name: 'Go' },
  { pattern: /^(?:node|undici)(?:\/(\S+))?$/i, name: 'Node.js' },
  { pattern: /^axios(?:\/(\S+))?/i, name: 'axios' },
  { pattern: /^okhttp(?:\/(\S+))?/i, name: 'OkHttp' },
  { pattern: /^Java(?:-http-client)?(?:\/(\S+))/i, name: 'Java' },
  { pattern: /^git\/(\S+)/i, name: 'git' },
];

const BROWSERS: readonly Client[] = [
  { pattern: /\bEdgA?(?:iOS)?\/(\d+)/, name: 'Edge', versionParts: 1 },
  { pattern: /\bOPR\/(\d+)/, name: 'Opera', versionParts: 1 },
  { pattern: /\b(?:Firefox|FxiOS)\/(\d+)/, name: 'Firefox', versionParts: 1 },
  { pattern: /\b(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/, name: 'Chrome', versionParts: 1 },
  { pattern: /\bVersion\/(\d+)(?:\.[\d.]*)? (?:Mobile\/\S+ )?Safari\//, name: 'Safari', versionParts: 1 },
];

const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/Windows/, 'Windows'],
  [/iPad/, 'iPadOS'],
  [/iPhone|iPod/, 'iOS'],
  [/Android/, 'Android'],
  [/CrOS/, 'ChromeOS'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/Linux|X11/, 'Linux'],
];

function describeClient(clients: readonly Client[], agent: string): string | null {
  for (const { pattern, name, versionParts = 2 } of clients) {
    const match = pattern.exec(agent);
    if (match === null) continue;
    const numbers = /^v?(\d+(?:\.\d+)*)/.exec(match[1] ?? '')?.[1]?.split('.') ?? [];
    return [name, numbers.slice(0, versionParts).join('.')].filter((part) => part !== '').join(' ');
  }
  return null;
}

function shorten(text: string): string {
  if (text.length <= WORDS_CHARACTERS_MAX) return text;
  let short = '';
  for (const grapheme of splitGraphemes(text)) {
    if (short.length + grapheme.length >= WORDS_CHARACTERS_MAX) break;
    short += grapheme;
  }
  return `${short}…`;
}

/**
 * A `User-Agent` in a few words: `NuGet 6.12`, `Firefox 145, Linux`. An unknown one is told by its first word. At
 * most 40 characters, none of them invisible: whoever holds a key writes this header. Empty when there is nothing.
 */
export function describeAgent(userAgent: string): string {
  const agent = stripInvisible(userAgent.slice(0, HEADER_CHARACTERS_MAX));
  const client = describeClient(CLIENTS, agent);
  if (client !== null) return shorten(client);
  const browser = agent.startsWith('Mozilla/') ? describeClient(BROWSERS, agent) : null;
  if (browser === null) return shorten(agent.split(' ')[0] ?? '');
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  return system === undefined ? browser : `${browser}, ${system}`;
}
