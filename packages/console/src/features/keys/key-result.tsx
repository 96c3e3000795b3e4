import { Alert, Button } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCheck,
  IconCircleCheck,
  IconClock,
  IconEye,
  IconEyeOff,
  IconLockOff,
} from '@tabler/icons-react';
import { useState } from 'react';
import { formatDateLong } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import classes from './key-result.module.css';
import { keyResultWords } from './key-result.words.ts';
import { KeyResultRows } from './key-result-rows.tsx';
import { CloseQuestion, SecretLeaveGuard } from './leave-question.tsx';
import type { SealedKey, SecretBox } from './secret-box.ts';
import { UseIt } from './use-it.tsx';
import { useSecondsLeft } from './use-secret-box.ts';
import { type SecretCopy, useSecretCopy } from './use-secret-copy.ts';

export interface KeyResultProps {
  /** The fresh key; null while there is none. */
  readonly minted: SealedKey | null;
  /** "API key created", or what else has made the secret. */
  readonly title: string;
  /** One more sentence for the warning, for instance until when the old secret works. */
  readonly note?: string;
  /** The window is closed and the secret forgotten. */
  readonly onClose: () => void;
}

/**
 * The one-time window. The focus goes back to what had it before; in a flow of several dialogs the first of them
 * does that (`useReturnFocus`).
 */
export function KeyResult(props: KeyResultProps) {
  const { minted, ...rest } = props;
  useReturnFocus(minted !== null);
  if (minted === null) return null;
  return <KeyResultWindow key={`${minted.key.id} ${minted.key.generation}`} minted={minted} {...rest} />;
}

function KeyResultWindow(props: KeyResultProps & { readonly minted: SealedKey }) {
  const { minted, title, note, onClose } = props;
  const { box } = minted;
  const { t } = useWords(keyResultWords);
  const { t: common } = useWords(uiWords);
  const copy = useSecretCopy(box);
  const [wantsReveal, setWantsReveal] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const isRevealed = wantsReveal && !copy.isGone;
  const close = () => {
    box.wipe();
    onClose();
  };
  const tryClose = () => {
    // Escape reaches the window below the question too.
    if (isAsking) return;
    if (copy.hasCopiedSecret || copy.isGone) close();
    else setAsking(true);
  };
  const copyAndClose = async () => {
    setAsking(false);
    if (await copy.copy('secretKey')) close();
  };
  return (
    <>
      <Dialog
        isOpen
        onClose={tryClose}
        size="medium"
        title={<Heading title={title} minted={minted} />}
        aside={copy.isGone ? undefined : <IdleClock box={box} />}
        actions={
          <>
            {!copy.isGone && (
              <Button
                variant="subtle"
                color="gray"
                leftSection={
                  isRevealed ? (
                    <IconEyeOff size={16} stroke={1.75} aria-hidden />
                  ) : (
                    <IconEye size={16} stroke={1.75} aria-hidden />
                  )
                }
                onClick={() => setWantsReveal(!isRevealed)}
              >
                {isRevealed ? t('hide') : t('reveal')}
              </Button>
            )}
            <Button variant={copy.hasCopiedSecret || copy.isGone ? 'filled' : 'default'} onClick={tryClose}>
              {common('done')}
            </Button>
          </>
        }
      >
        <KeyResultRows box={box} copy={copy} isRevealed={isRevealed} />
        <Notice copy={copy} note={note} />
        <UseIt box={box} copy={copy} />
      </Dialog>
      <CloseQuestion
        isAsking={isAsking}
        onBack={() => setAsking(false)}
        onLeave={close}
        onCopyAndLeave={() => void copyAndClose()}
      />
      <SecretLeaveGuard box={box} copy={copy} />
    </>
  );
}

function Heading(props: { readonly title: string; readonly minted: SealedKey }) {
  const { comment, expiresAt } = props.minted.key;
  const { t, language } = useWords(keyResultWords);
  return (
    <span className={classes.head}>
      <span className={classes.tick}>
        <IconCheck size={18} stroke={1.75} aria-hidden />
      </span>
      <span>
        {props.title}
        <span className={classes.about}>
          <bdi>{comment}</bdi>
          {expiresAt !== null && (
            <>
              <span aria-hidden>·</span>
              <span>{t('expires', { date: formatDateLong(expiresAt, language) })}</span>
            </>
          )}
        </span>
      </span>
    </span>
  );
}

/** What to do about the secret now. */
function Notice(props: { readonly copy: SecretCopy; readonly note: string | undefined }) {
  const { copy, note } = props;
  const { t } = useWords(keyResultWords);
  const state = copy.isGone ? 'gone' : copy.hasCopiedSecret ? 'copied' : 'warn';
  const look = {
    gone: { color: 'red', icon: <IconLockOff size={18} stroke={1.75} aria-hidden /> },
    copied: {
      color: 'gray',
      icon: <IconCircleCheck size={18} stroke={1.75} className="kr-green" aria-hidden />,
    },
    warn: { color: 'amber', icon: <IconAlertTriangle size={18} stroke={1.75} aria-hidden /> },
  }[state];
  return (
    <Alert {...look} className={`${classes.notice} ${state === 'copied' ? classes.calm : ''}`} role="status">
      <strong>{t(`${state}Title`)}</strong> {t(`${state}Text`)} {note}
    </Alert>
  );
}

export function IdleClock(props: { readonly box: SecretBox }) {
  const { t } = useWords(keyResultWords);
  const seconds = useSecondsLeft(props.box);
  return (
    <span className={classes.idle}>
      <IconClock size={16} stroke={1.75} aria-hidden />
      {t('forgottenAfter')}
      <span className={classes.clock} role="timer">
        {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')}
      </span>
    </span>
  );
}
