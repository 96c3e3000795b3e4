import type { Key } from '@keyreeve/sdk';
import { Button } from '@mantine/core';
import { IconCheck, IconCopy, IconSparkles } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { formatInstant } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { notifyDone } from '../../ui/notify.tsx';
import { SecretLeaveGuard } from '../keys/leave-question.tsx';
import type { SealedKey } from '../keys/secret-box.ts';
import { useSecretCopy } from '../keys/use-secret-copy.ts';
import type { FreshSecrets } from './fresh-secrets.ts';
import classes from './my-keys.module.css';
import { myKeysWords } from './my-keys.words.ts';

/** The Copy buttons of a secret that was just made. They go with it: on leaving, after idle minutes, on reload. */
export function FreshSecret(props: { readonly fresh: SealedKey; readonly secrets: FreshSecrets }) {
  const { fresh, secrets } = props;
  const { t } = useWords(myKeysWords);
  const copy = useSecretCopy(fresh.box);
  const { isGone } = copy;
  useEffect(() => {
    if (isGone) secrets.drop(fresh);
  }, [isGone, secrets, fresh]);
  const first = useRef<HTMLButtonElement>(null);
  // Copying is what comes next. In the next frame: the dialog that has just closed gives the focus back before.
  useEffect(() => {
    const frame = requestAnimationFrame(() => first.current?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  const put = async (kind: 'secretKey' | 'fullKey') => {
    if (await copy.copy(kind)) notifyDone(t(kind === 'secretKey' ? 'secretCopied' : 'fullCopied'));
  };
  const iconOf = (kind: 'secretKey' | 'fullKey') =>
    copy.isCopied(kind) ? (
      <IconCheck size={16} stroke={1.75} aria-hidden />
    ) : (
      <IconCopy size={16} stroke={1.75} aria-hidden />
    );
  return (
    <div className={classes.fresh}>
      <IconSparkles size={16} stroke={1.75} aria-hidden className="kr-petrol" />
      <p className={classes.freshText} role="status">
        <FreshStory value={fresh.key} />
      </p>
      <div className={classes.freshButtons}>
        <Button ref={first} size="xs" leftSection={iconOf('secretKey')} onClick={() => void put('secretKey')}>
          {t('copySecret')}
        </Button>
        <Button
          size="xs"
          variant="default"
          leftSection={iconOf('fullKey')}
          onClick={() => void put('fullKey')}
        >
          {t('copyFull')}
        </Button>
        <Button size="xs" variant="subtle" onClick={() => secrets.use(fresh)}>
          {t('useIt')}
        </Button>
      </div>
      {/* The window asks for itself. */}
      {secrets.used !== fresh && <SecretLeaveGuard box={fresh.box} copy={copy} />}
    </div>
  );
}

function FreshStory({ value }: { readonly value: Key }) {
  const { language } = useWords(myKeysWords);
  const { generation, overlapEndsAt } = value;
  const parts = { b: <strong /> };
  if (generation === 1) return <Rich words={myKeysWords} k="created" parts={parts} />;
  if (overlapEndsAt === null) return <Rich words={myKeysWords} k="fresh" parts={parts} />;
  const values = { instant: formatInstant(overlapEndsAt, language) };
  return <Rich words={myKeysWords} k="freshOverlap" values={values} parts={parts} />;
}
