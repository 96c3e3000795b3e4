import { Buffer } from 'node:buffer';
import type { App } from '@keyreeve/testkit';
import { AuditJoin, findOwed, type JoinFindings } from './audit-join.ts';
import type { Credential, World } from './credential.ts';
import { findStandingEpochs } from './epochs.ts';
import { chooseTargets } from './form.ts';
import type { Ledger, Snapshot } from './ledger.ts';
import type { Target, Verdict } from './oracle.ts';
import { type Answer, methodOf, type RefusalShape, type Row, type Wire } from './row.ts';
import { MALFORMED } from './targets.ts';

/** What a run found: how many cells it tried, and each that was wrong in one line. */
export interface Findings {
  readonly cells: number;
  readonly denied: number;
  readonly faults: readonly string[];
  /** What the audit log tells of them. */
  readonly log: JoinFindings;
}

export interface Stage {
  readonly world: World;
  readonly ledger: Ledger;
  /** What every request starts from. */
  readonly start: Snapshot;
}

interface Cell {
  readonly row: Row;
  readonly method: string;
  readonly who: Credential;
  readonly target: Target;
  readonly wire: Wire;
  readonly verdict: Verdict;
}

/** The server keeps up to a thousand refusals in memory until it writes them. */
const UNWRITTEN_MAX = 500;

/** Tries a row with every credential on an app, which need not be the harness's own. */
export async function runRow(stage: Stage, app: App, row: Row, method = methodOf(row)): Promise<Findings> {
  const faults: string[] = [];
  const seen = new Map<string, { readonly text: string; readonly name: string }>();
  const join = new AuditJoin();
  let cells = 0;
  let denied = 0;
  for (const [turn, who] of stage.world.credentials.entries()) {
    if (row.isFor?.(who) === false) continue;
    for (const target of chooseTargets(row, who, turn)) {
      const cell: Cell = {
        row,
        method,
        who,
        target,
        wire: row.send(who, target),
        verdict: row.expect(who, target),
      };
      cells += 1;
      if (cell.verdict !== 'allow') denied += 1;
      const before = stage.ledger.read();
      const answer = await request(app, cell);
      const after = stage.ledger.read();
      hear(stage, join, { cell, answer, before, after });
      const found = [
        ...judge(cell, answer),
        ...judgeRows(stage, cell, before, after),
        ...compareRefusals(seen, cell, answer),
      ];
      if (found.length > 0) faults.push(`${nameOf(cell)}: ${found.join('; ')}`);
      if (cells % UNWRITTEN_MAX === 0) await readRefusals(stage, join);
    }
  }
  await readRefusals(stage, join);
  return { cells, denied, faults, log: join.find() };
}

/** Lets the server write the refusals that it has kept, and takes them out again. */
async function readRefusals({ world, ledger, start }: Stage, join: AuditJoin): Promise<void> {
  const before = ledger.read();
  await world.harness.deps.audit.flush();
  const after = ledger.read();
  join.read(ledger.findLogged(before, after));
  if (ledger.compare(before, after).length > 0) ledger.restore(start);
}

interface Exchanged {
  readonly cell: Cell;
  readonly answer: Answer;
  readonly before: Snapshot;
  readonly after: Snapshot;
}

function hear({ ledger }: Stage, join: AuditJoin, { cell, answer, before, after }: Exchanged): void {
  const { row, method, who } = cell;
  const changed = ledger.compare(before, after).filter((table) => table !== 'audit');
  const owed = findOwed({
    who,
    method,
    path: row.route.split(' ')[1] ?? '',
    status: answer.statusCode,
    isDone: changed.length > 0 || row.isRecorded === true,
  });
  join.hear({ name: nameOf(cell), requestId: String(answer.headers['x-request-id']), owed });
  join.read(ledger.findLogged(before, after));
}

function nameOf({ row, method, who, target }: Cell): string {
  const variant = row.variant === undefined ? '' : ` (${row.variant})`;
  return `${method} ${row.route.split(' ')[1]}${variant} | ${who.name} | ${target.name}`;
}

async function request(app: App, { method, who, wire }: Cell): Promise<Answer> {
  const { url, body, bytes } = wire;
  const payload =
    bytes === undefined ? (body === undefined ? undefined : JSON.stringify(body)) : Buffer.from(bytes);
  const type = bytes === undefined ? 'application/json' : 'application/octet-stream';
  return await app.inject({
    method: method as 'GET',
    url,
    headers: { ...who.headers, ...(payload === undefined ? {} : { 'content-type': type }), ...wire.headers },
    ...(payload === undefined ? {} : { payload }),
  });
}

function judge(cell: Cell, answer: Answer): string[] {
  const { row, who, target, verdict, method } = cell;
  const { statusCode } = answer;
  const away = findCanaries(cell, answer, who.away.canaries);
  const leaks = away.map((text) => `the answer tells ${text} of the other workspace`);
  if (verdict === 'allow') {
    const isReached = (statusCode >= 200 && statusCode < 300) || row.reached?.includes(statusCode) === true;
    if (!isReached) return [`refused with ${statusCode}, ought to be allowed (${answer.body.slice(0, 300)})`];
    const wrong = method === 'HEAD' ? null : (row.judge?.(answer, who, target) ?? null);
    return wrong === null ? leaks : [wrong, ...leaks];
  }
  if (statusCode !== verdict) return [`${statusCode} instead of ${verdict} (${answer.body.slice(0, 200)})`];
  const known = row.mayTell?.(who) ?? [];
  const home = findCanaries(cell, answer, who.home.canaries)
    .filter((text) => !known.includes(text))
    .map((text) => `the refusal tells ${text}`);
  const shape = method === 'HEAD' ? null : findShapeFault(row.shape ?? 'problem', answer);
  return [...leaks, ...home, ...(shape === null ? [] : [shape])];
}

/** What was said in the request itself is no news. */
function findCanaries({ wire }: Cell, answer: Answer, canaries: readonly string[]): string[] {
  const asked = `${wire.url} ${JSON.stringify(wire.body ?? '')}`;
  return canaries.filter((canary) => answer.body.includes(canary) && !asked.includes(canary));
}

function findShapeFault(shape: RefusalShape, answer: Answer): string | null {
  const { statusCode, statusMessage, body } = answer;
  if (statusCode === 401 && answer.headers['www-authenticate'] === undefined)
    return 'a 401 without a challenge';
  // Hosts that are no workspace, and requests that nobody can read, are refused in one form everywhere.
  if (statusCode === 421 || statusCode === 400) return null;
  const type = answer.headers['content-type'] ?? '';
  if (shape === 'bare') return body === '' ? null : 'a gateway reads no body, and gets one';
  if (shape === 'text')
    return type.startsWith('text/plain') && statusMessage !== '' && body !== ''
      ? null
      : 'no reason for a package client';
  if (shape === 'odata')
    return type.startsWith('application/xml') && /<error [^>]*><code>[a-z_]+\.[a-z_]+<\/code>/.test(body)
      ? null
      : 'not an error of OData';
  if (shape === 'oauth') {
    const { error } = answer.json<Record<string, unknown>>();
    return error === 'invalid_client' || error === 'invalid_token' ? null : 'not an error of OAuth';
  }
  if (shape === 'iam') {
    const { error, success, status } = answer.json<Record<string, unknown>>();
    return error === 'Unauthorized' && success === false && status === statusCode
      ? null
      : 'not the documented refusal';
  }
  const problem = type.startsWith('application/problem+json') ? answer.json<Record<string, unknown>>() : {};
  return problem['status'] === statusCode && typeof problem['code'] === 'string' ? null : 'not a problem';
}

/**
 * A refusal, and looking at something, changes no row. What was allowed to change is put back, after a look at
 * the other workspace, in which nothing may have changed at all.
 */
function judgeRows(
  { ledger, start }: Stage,
  { row, method, who, verdict }: Cell,
  before: Snapshot,
  after: Snapshot,
): string[] {
  const changed = ledger.compare(before, after);
  if (changed.length === 0) return [];
  const isSafe = (method === 'GET' || method === 'HEAD') && row.isRecorded !== true;
  const isMeant = verdict === 'allow' && !isSafe;
  const wrong = isMeant ? ledger.compareWithin(who.away.workspaceId, before, after) : changed;
  const standing = findStandingEpochs(before, after);
  ledger.restore(start);
  if (wrong.length === 0) return standing;
  return [`rows were changed in ${wrong.join(', ')}${isMeant ? ' of the other workspace' : ''}`, ...standing];
}

/** "Not yours" and "does not exist" are one answer, to the letter: a caller gets one text for all things he may not see. */
function compareRefusals(
  seen: Map<string, { readonly text: string; readonly name: string }>,
  cell: Cell,
  answer: Answer,
): string[] {
  const { who, target, verdict, row } = cell;
  if ((verdict !== 401 && verdict !== 404) || answer.statusCode !== verdict || target.name === MALFORMED)
    return [];
  const text = normalize(cell, answer);
  const name = `${who.name} ${verdict}`;
  const first = seen.get(name);
  if (first === undefined) seen.set(name, { text, name: target.name });
  if (first === undefined || first.text === text) return [];
  return [`differs from the refusal for ${first.name} on ${row.route}: ${text} | ${first.text}`];
}

const VARYING = ['x-request-id', 'date', 'content-length'];

/** Without what differs between any two requests, and without the id that the caller has sent. */
function normalize({ who, target }: Cell, answer: Answer): string {
  const headers = Object.entries(answer.headers).filter(([name]) => !VARYING.includes(name));
  const body = answer.body.replace(/"(instance|duration)":(?:"[^"]*"|[\d.e-]+)/g, '');
  const id = target.id(who);
  const text = `${answer.statusMessage} ${JSON.stringify(headers)} ${body}`;
  return id === '' ? text : text.replaceAll(id, '<id>');
}
