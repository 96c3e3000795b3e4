import { useState } from 'react';
import { say } from '../../i18n/words.tsx';
import { copyText } from '../../ui/clipboard.ts';
import { notifyProblem } from '../../ui/notify.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import type { SecretBox, SecretKind } from './secret-box.ts';
import { useIsSecretGone } from './use-secret-box.ts';

export interface SecretCopy {
  /** Which Copy buttons have done their work; they stay ticked. */
  readonly isCopied: (kind: SecretKind) => boolean;
  /** Something that holds the secret was copied: the secret key, the full key or a snippet with it. */
  readonly hasCopiedSecret: boolean;
  /** The secret is forgotten: there is nothing left to copy but the API key. */
  readonly isGone: boolean;
  /** Copies a value; says so when it fails. Returns whether it worked. */
  readonly copy: (kind: SecretKind) => Promise<boolean>;
  /** Copies a text that is put together only now, from what the box holds at this moment. */
  readonly copyComposed: (compose: () => string | null, holdsSecret: boolean) => Promise<boolean>;
  /** For a copy that the page did not make: the person has selected the revealed text and copied it. */
  readonly noteCopied: (kind: SecretKind) => void;
}

/** The Copy buttons of one fresh secret: in the one-time window and on a card of the key page. */
export function useSecretCopy(box: SecretBox): SecretCopy {
  const isGone = useIsSecretGone(box);
  const [copied, setCopied] = useState<readonly SecretKind[]>([]);
  const [hasCopiedSnippet, setCopiedSnippet] = useState(false);
  const noteCopied = (kind: SecretKind) =>
    setCopied((before) => (before.includes(kind) ? before : [...before, kind]));
  const put = async (compose: () => string | null): Promise<boolean> => {
    const text = compose();
    const isDone = text !== null && (await copyText(text));
    if (!isDone) notifyProblem(say(uiWords, 'copyFailed'));
    return isDone;
  };
  return {
    isCopied: (kind) => copied.includes(kind),
    hasCopiedSecret: hasCopiedSnippet || copied.some((kind) => kind !== 'apiKey'),
    isGone,
    copy: async (kind) => {
      const isDone = await put(() => box.read(kind));
      if (isDone) noteCopied(kind);
      return isDone;
    },
    copyComposed: async (compose, holdsSecret) => {
      const isDone = await put(compose);
      if (isDone && holdsSecret) setCopiedSnippet(true);
      return isDone;
    },
    noteCopied,
  };
}
