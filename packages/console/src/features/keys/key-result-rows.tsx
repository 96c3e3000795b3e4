import { Button } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import classes from './key-result.module.css';
import { keyResultWords } from './key-result.words.ts';
import { RevealedSecret, SealedStrip } from './sealed.tsx';
import type { SecretBox, SecretKind } from './secret-box.ts';
import type { SecretCopy } from './use-secret-copy.ts';

const SECRET_CHARACTERS = 49;

const COPY_LABELS = {
  apiKey: { copy: 'copyApiKey', copied: 'apiKeyCopied' },
  secretKey: { copy: 'copySecretKey', copied: 'secretKeyCopied' },
  fullKey: { copy: 'copyFullKey', copied: 'fullKeyCopied' },
} as const;

/** Copies one value; stays ticked afterwards, and may be pressed again. */
function CopySecretButton(props: {
  readonly kind: SecretKind;
  readonly copy: SecretCopy;
  /** The button to press now. */
  readonly isPrimary?: boolean;
}) {
  const { kind, copy } = props;
  const { t } = useWords(keyResultWords);
  const { t: common } = useWords(uiWords);
  const isCopied = copy.isCopied(kind);
  const label = t(COPY_LABELS[kind][isCopied ? 'copied' : 'copy']);
  const Icon = isCopied ? IconCheck : IconCopy;
  return (
    <Button
      aria-label={label}
      variant={props.isPrimary === true && !isCopied ? 'filled' : 'default'}
      className={isCopied ? classes.copied : ''}
      disabled={copy.isGone && kind !== 'apiKey'}
      leftSection={<Icon size={16} stroke={1.75} aria-hidden />}
      data-autofocus={props.isPrimary === true || undefined}
      onClick={() => void copy.copy(kind)}
    >
      {common(isCopied ? 'copied' : 'copy')}
    </Button>
  );
}

function Row(props: {
  readonly label: string;
  readonly hint: string;
  readonly button: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div className={classes.row}>
      <dt className={classes.label}>
        {props.label}
        <span className={classes.hint}>{props.hint}</span>
      </dt>
      <dd className={classes.value}>{props.children}</dd>
      <dd className={classes.copy}>{props.button}</dd>
    </div>
  );
}

/** API key, secret key and full key, each with its Copy button. */
export function KeyResultRows(props: {
  readonly box: SecretBox;
  readonly copy: SecretCopy;
  readonly isRevealed: boolean;
}) {
  const { box, copy, isRevealed } = props;
  const { t } = useWords(keyResultWords);
  return (
    <dl className={classes.rows}>
      <Row label={t('apiKey')} hint={t('apiKeyHint')} button={<CopySecretButton kind="apiKey" copy={copy} />}>
        <span className={classes.public}>{box.apiKey}</span>
      </Row>
      <Row
        label={t('secretKey')}
        hint={t('secretKeyHint')}
        button={<CopySecretButton kind="secretKey" copy={copy} isPrimary={!copy.hasCopiedSecret} />}
      >
        {isRevealed ? (
          <RevealedSecret box={box} kind="secretKey" onCopy={() => copy.noteCopied('secretKey')} />
        ) : (
          <SealedStrip
            isGone={copy.isGone}
            text={copy.isGone ? t('forgotten') : t('notShown', { count: SECRET_CHARACTERS })}
          />
        )}
      </Row>
      <Row
        label={t('fullKey')}
        hint={t('fullKeyHint')}
        button={<CopySecretButton kind="fullKey" copy={copy} />}
      >
        <span>{box.apiKey}_</span>
        <SealedStrip isGone={copy.isGone} text={copy.isGone ? t('forgotten') : t('secret')} />
      </Row>
    </dl>
  );
}
