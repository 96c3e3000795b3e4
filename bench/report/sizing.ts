import type { Outcome } from '../harness/contest.ts';
import { formatKeys, spreadOfRounds } from './format.ts';
import type { Results } from './results.ts';
import { type Table, toMarkdown } from './tables.ts';

export const SIZING_PAGE = 'docs/operations/sizing.md';

const BEGIN = '<!-- measured: begin, written by npm run bench -->';
const END = '<!-- measured: end -->';
const MILLION = 1_000_000;

/** Puts what was measured between the two marks of the page. @throws Error when a mark is missing */
export function fillSizing(page: string, results: Results): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${SIZING_PAGE} lacks its marks "${BEGIN}" and "${END}".`);
  return `${page.slice(0, from + BEGIN.length)}\n${describe(results)}\n${page.slice(to)}`;
}

function describe(results: Results): string {
  const { machine, measuredAt, commit, isQuick } = results;
  const origin = `Measured on ${measuredAt.slice(0, 10)} at commit ${commit}: ${machine.processor}, one core for the server, SQLite with synchronous=FULL, wrk with 32 connections. Conditions and ranges: [performance](../performance.md).`;
  const warning = isQuick ? '\n\n**A shortened run: its figures are no measure.**' : '';
  return `${origin}${warning}\n\n${toMarkdown(sizingTable(results))}`;
}

function sizingTable(results: Results): Table {
  return [['one process on one core', 'measured'], ...rateRows(results), ...scaleRows(results)];
}

const OPERATIONS = [
  ['`GET /v1/authorize`, keys in use', 'authorize', 'Keyreeve authorize'],
  ['`POST /v1/keys/verify`, keys in use', 'verify', 'Keyreeve verify'],
  ['`POST /oauth2/token`, ES256', 'tokens', 'Keyreeve token ES256'],
  ['`POST /oauth2/token`, EdDSA', 'tokens', 'Keyreeve token EdDSA'],
  ['`POST /oauth2/token`, RS256', 'tokens', 'Keyreeve token RS256'],
  ['`POST /oauth2/introspect`', 'introspection', 'Keyreeve introspect'],
] as const;

function rateRows({ contests }: Results): string[][] {
  return OPERATIONS.map(([what, contest, name]) => {
    const outcome: Outcome | undefined = contests[contest]?.find((one) => one.name === name);
    return [
      what,
      outcome === undefined
        ? 'not measured'
        : `${formatKeys(spreadOfRounds(outcome, (round) => round.requestsPerSecond).median)} a second`,
    ];
  });
}

function scaleRows({ scale }: Results): string[][] {
  const largest = scale?.at(-1);
  if (largest === undefined) return [['among many keys', 'not measured']];
  const { keys, random, memory, megabytesOnDisk } = largest;
  const among = `among ${formatKeys(keys)} keys`;
  return [
    [
      `\`POST /v1/keys/verify\` ${among}, each for the first time`,
      `${formatKeys(random.requestsPerSecond)} a second`,
    ],
    [`memory ${among}, idle`, `${memory.idleMib.toFixed(0)} MiB`],
    [
      `memory ${among}, after ${formatKeys(memory.verifications)} verifications of different keys`,
      `${memory.afterMib.toFixed(0)} MiB`,
    ],
    ['disk for each million keys', `${formatKeys((megabytesOnDisk / keys) * MILLION)} MB`],
  ];
}
