import { Alert, Button } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCheck,
  IconCircleCheck,
  IconCopy,
  IconEye,
  IconEyeOff,
  IconLockOff,
} from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import classes from './key-result.module.css';
import { IdleClock } from './key-result.tsx';
import { keyResultWords } from './key-result.words.ts';
import { CloseQuestion, SecretLeaveGuard } from './leave-question.tsx';
import { RevealedSecret, SealedStrip } from './sealed.tsx';
import { readLine, type SecretBox } from './secret-box.ts';
import { type SecretCopy, useSecretCopy } from './use-secret-copy.ts';

/** A line of the secret with the words of its Copy button. */
export interface SecretLine {
  readonly label: string;
  readonly hint: string;
  readonly copy: string;
  readonly copied: string;
}

export interface OneTimeSecretProps {
  /** Null while there is none. Its secret has a line for each of `lines`. */
  readonly box: SecretBox | null;
  readonly title: string;
  readonly about: ReactNode;
  readonly lines: readonly SecretLine[];
  /** What to do about it: before and after it was copied, and once it is gone. */
  readonly notices: { readonly warn: string; readonly copied: string; readonly gone: string };
  /** Asked before it is lost uncopied. */
  readonly lost: string;
  readonly onClose: () => void;
}

/** The one-time window of a secret that is no key: the same seal, the same Copy, the same ends. */
export function OneTimeSecret(props: OneTimeSecretProps) {
  const { box } = props;
  useReturnFocus(box !== null);
  return box === null ? null : <SecretWindow {...props} box={box} />;
}

function SecretWindow(props: OneTimeSecretProps & { readonly box: SecretBox }) {
  const { box, lines, lost, onClose } = props;
  const copy = useSecretCopy(box);
  const { t: common } = useWords(uiWords);
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
    if (await copy.copyComposed(() => readLine(box, 0), true)) close();
  };
  return (
    <>
      <Dialog
        isOpen
        onClose={tryClose}
        size="medium"
        title={props.title}
        subtitle={props.about}
        aside={copy.isGone ? undefined : <IdleClock box={box} />}
        actions={
          <>
            {!copy.isGone && (
              <RevealButton isRevealed={isRevealed} onClick={() => setWantsReveal(!isRevealed)} />
            )}
            <Button variant={copy.hasCopiedSecret || copy.isGone ? 'filled' : 'default'} onClick={tryClose}>
              {common('done')}
            </Button>
          </>
        }
      >
        <dl className={classes.rows}>
          {lines.map((line, index) => (
            <SecretRow
              key={line.label}
              box={box}
              copy={copy}
              line={line}
              index={index}
              isRevealed={isRevealed}
            />
          ))}
        </dl>
        <Notice copy={copy} notices={props.notices} />
      </Dialog>
      <CloseQuestion
        isAsking={isAsking}
        text={lost}
        onBack={() => setAsking(false)}
        onLeave={close}
        onCopyAndLeave={() => void copyAndClose()}
      />
      <SecretLeaveGuard box={box} copy={copy} text={lost} />
    </>
  );
}

function RevealButton(props: { readonly isRevealed: boolean; readonly onClick: () => void }) {
  const { t } = useWords(keyResultWords);
  const Icon = props.isRevealed ? IconEyeOff : IconEye;
  return (
    <Button
      variant="subtle"
      color="gray"
      leftSection={<Icon size={16} stroke={1.75} aria-hidden />}
      onClick={props.onClick}
    >
      {t(props.isRevealed ? 'hide' : 'reveal')}
    </Button>
  );
}

function SecretRow(props: {
  readonly box: SecretBox;
  readonly copy: SecretCopy;
  readonly line: SecretLine;
  readonly index: number;
  readonly isRevealed: boolean;
}) {
  const { box, copy, line, index } = props;
  const { t } = useWords(keyResultWords);
  const { t: common } = useWords(uiWords);
  const [isCopied, setCopied] = useState(false);
  const put = async () => {
    if (await copy.copyComposed(() => readLine(box, index), true)) setCopied(true);
  };
  const Icon = isCopied ? IconCheck : IconCopy;
  const isPrimary = index === 0 && !copy.hasCopiedSecret;
  return (
    <div className={classes.row}>
      <dt className={classes.label}>
        {line.label}
        <span className={classes.hint}>{line.hint}</span>
      </dt>
      <dd className={classes.value}>
        {props.isRevealed ? (
          <RevealedSecret
            box={box}
            kind="secretKey"
            line={index}
            onCopy={() => copy.noteCopied('secretKey')}
          />
        ) : (
          <SealedStrip isGone={copy.isGone} text={t(copy.isGone ? 'forgotten' : 'secret')} />
        )}
      </dd>
      <dd className={classes.copy}>
        <Button
          aria-label={isCopied ? line.copied : line.copy}
          variant={isPrimary ? 'filled' : 'default'}
          className={isCopied ? classes.copied : ''}
          disabled={copy.isGone}
          leftSection={<Icon size={16} stroke={1.75} aria-hidden />}
          data-autofocus={index === 0 || undefined}
          onClick={() => void put()}
        >
          {common(isCopied ? 'copied' : 'copy')}
        </Button>
      </dd>
    </div>
  );
}

function Notice(props: { readonly copy: SecretCopy; readonly notices: OneTimeSecretProps['notices'] }) {
  const { copy, notices } = props;
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
      {notices[state]}
    </Alert>
  );
}
