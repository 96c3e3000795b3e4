import type { Workspace } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Freshness } from '../../storage/index.ts';
import type { RecognizedKey } from '../keys/index.ts';
import { type LimitAnswer, presentLimitAnswer } from '../limits/index.ts';
import type { Decision } from './decide.ts';
import { presentSubjectHeaders, presentVerifyAnswer } from './verification.present.ts';

interface Texts {
  subjectLines: string | null;
  /** From `"keyId"` to the end, without the closing brace. */
  verifyRest: string | null;
}

/** What is the same in each answer about a key, made once as long as the key is kept in memory. */
export class AnswerTexts {
  readonly #texts = new WeakMap<RecognizedKey, Texts>();
  readonly #permissions = new WeakMap<Permission, string>();

  subjectLines(workspace: Workspace, found: RecognizedKey): string {
    const texts = this.#of(found);
    texts.subjectLines ??= Object.entries(presentSubjectHeaders(workspace, found.account, found.key))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    return texts.subjectLines;
  }

  verifyAnswer(
    found: RecognizedKey,
    { code, matched }: Decision,
    limits: LimitAnswer,
    { source, ageMs }: Freshness,
  ): string {
    const texts = this.#of(found);
    texts.verifyRest ??= toRest(found);
    const head = code === 'valid' ? '{"valid":true,"code":"valid",' : `{"valid":false,"code":"${code}",`;
    const age = `,"freshness":{"source":"${source}","ageMs":${ageMs}}`;
    const permission = matched === null || code !== 'valid' ? '' : `,"matched":${this.#permission(matched)}`;
    const states =
      limits.states.length === 0 ? '' : `,"limits":${JSON.stringify(presentLimitAnswer(limits))}`;
    return `${head}${texts.verifyRest}${age}${permission}${states}}`;
  }

  #of(found: RecognizedKey): Texts {
    let texts = this.#texts.get(found);
    if (texts === undefined) {
      texts = { subjectLines: null, verifyRest: null };
      this.#texts.set(found, texts);
    }
    return texts;
  }

  #permission(permission: Permission): string {
    let text = this.#permissions.get(permission);
    if (text === undefined) {
      text = JSON.stringify({ actions: permission.actions, resources: permission.resources });
      this.#permissions.set(permission, text);
    }
    return text;
  }
}

const BEFORE_REST = '"keyId"';
const AFTER_REST = ',"freshness"';

function toRest(found: RecognizedKey): string {
  const answer = { code: 'valid', subject: found, matched: null, limits: null } as const;
  const text = JSON.stringify(presentVerifyAnswer(answer, { source: 'database', ageMs: 0 }));
  return text.slice(text.indexOf(BEFORE_REST), text.lastIndexOf(AFTER_REST));
}
