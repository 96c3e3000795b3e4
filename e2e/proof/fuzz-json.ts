import type { CorpusText } from './fuzz-bodies.ts';
import { CORPUS } from './fuzz-bodies.ts';
import type { Dice } from './fuzz-dice.ts';
import type { ApiDocument, Operation } from './fuzz-document.ts';
import { judgeAnswer } from './fuzz-judge.ts';
import { describeRequest, type FuzzRequest } from './fuzz-requests.ts';
import type { FuzzStage } from './fuzz-stage.ts';
import { type WireAnswer, WireClient } from './fuzz-wire.ts';

const BODY_BYTES_MAX = 64 * 1024;

/** What is wrong with the status that a text of the corpus got, or null. */
export function judgeText({ name, verdict, bytes }: CorpusText, status: number): string | null {
  if (status >= 500) return `${name}: ${status}`;
  // An empty body is none, whatever its type says; one that is too large is not read at all.
  const isUnread = bytes.length === 0 || (bytes.length > BODY_BYTES_MAX && status === 413);
  return verdict === 'reject' && status !== 400 && !isUnread
    ? `${name} is no JSON, and gets ${status}`
    : null;
}

/** The operations that take JSON, each by somebody who gets so far that his body is read. */
export function listJsonOperations(api: ApiDocument): Operation[] {
  return api.operations.filter(({ bodies }) => bodies.some(({ type }) => type === 'application/json'));
}

/** Sends each text of the corpus to several operations that take JSON. */
export async function sendCorpus(options: {
  readonly api: ApiDocument;
  readonly stage: FuzzStage;
  readonly dice: Dice;
  readonly port: number;
  /** To how many operations each text is sent. */
  readonly perText: number;
  readonly onText: () => void;
}): Promise<{ readonly requestCount: number; readonly faults: readonly string[] }> {
  const { api, stage, dice, perText } = options;
  const operations = listJsonOperations(api);
  const client = new WireClient(options.port);
  const faults: string[] = [];
  let requestCount = 0;
  for (const text of CORPUS) {
    const from = dice.below(operations.length);
    for (let index = 0; index < Math.min(perText, operations.length); index += 1) {
      const operation = operations[(from + index) % operations.length];
      if (operation === undefined) continue;
      const request = toRequest(operation, stage, text);
      const answer = await client.send(request);
      requestCount += 1;
      const found = [judgeText(text, answer.status), ...judgeAnswer(api, request, answer)];
      for (const fault of found) if (fault !== null) faults.push(describe(fault, request, answer));
    }
    options.onText();
  }
  client.close();
  return { requestCount, faults };
}

function toRequest(
  operation: Operation,
  { pools, sessionOfAdmin }: FuzzStage,
  text: CorpusText,
): FuzzRequest {
  const { method, path } = operation;
  const poolOf = (name: string) =>
    path.startsWith('/v1/packages/') ? 'packageId' : name === 'id' ? 'accountId' : name;
  const target = path.replace(/\{(\w+)\}/g, (_match, name: string) => pools.get(poolOf(name))?.[0] ?? 'x');
  const headers = { ...sessionOfAdmin, 'content-type': 'application/json', 'if-match': '*' };
  return {
    operation,
    isOtherMethod: false,
    credential: 'session of admin',
    method,
    target,
    headers: Object.entries(headers),
    body: text.bytes,
  };
}

function describe(fault: string, request: FuzzRequest, { status, body }: WireAnswer): string {
  return `${fault}\n  ${describeRequest(request).slice(0, 1_500)}\n  → ${status} ${body.toString().slice(0, 300)}`;
}
