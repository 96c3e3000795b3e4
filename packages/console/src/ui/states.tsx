import { Button, Skeleton } from '@mantine/core';
import { IconPlugConnectedX, IconRefresh, IconSearch } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { describeError, sayFault } from '../errors/describe-error.ts';
import { useWords } from '../i18n/words.tsx';
import classes from './states.module.css';
import { uiWords } from './ui.words.ts';

/** Nothing here yet: an icon, one sentence, one action. */
export function EmptyState(props: {
  readonly icon: ReactNode;
  readonly title: string;
  readonly text?: ReactNode;
  readonly action?: ReactNode;
  readonly tone?: 'red';
}) {
  return (
    <div className={classes.state}>
      <div className={classes.tile} data-tone={props.tone}>
        {props.icon}
      </div>
      <p className={classes.title}>{props.title}</p>
      {props.text !== undefined && <div className={classes.text}>{props.text}</div>}
      {props.action}
    </div>
  );
}

/** A list that could not be read. Says that nothing was changed, and names the request. */
export function LoadFailed(props: { readonly error: unknown; readonly onRetry: () => void }) {
  const { t, language } = useWords(uiWords);
  const { requestId } = describeError(props.error, language);
  return (
    <div role="alert">
      <EmptyState
        tone="red"
        icon={<IconPlugConnectedX size={20} stroke={1.75} aria-hidden />}
        title={t('failedToLoad')}
        text={
          <>
            {sayFault(props.error, language)} {t('nothingChanged')}
          </>
        }
        action={
          <>
            <Button
              variant="default"
              leftSection={<IconRefresh size={16} stroke={1.75} />}
              onClick={props.onRetry}
            >
              {t('tryAgain')}
            </Button>
            {requestId !== null && (
              <p className="kr-dimmed kr-small">
                {t('request')} <span className="kr-mono">{requestId}</span>
              </p>
            )}
          </>
        }
      />
    </div>
  );
}

export function NothingFound(props: {
  readonly q: string;
  readonly text?: string;
  readonly onClear: () => void;
  readonly title?: string;
}) {
  const { t } = useWords(uiWords);
  return (
    <EmptyState
      icon={<IconSearch size={20} stroke={1.75} aria-hidden />}
      title={props.title ?? t('nothingFound', { q: props.q })}
      text={props.text}
      action={
        <Button variant="default" onClick={props.onClear}>
          {t('clearSearch')}
        </Button>
      }
    />
  );
}

const SHOW_AFTER_MS = 150;

/** Rows of their final height; shown only when the answer takes longer than a blink. */
export function SkeletonRows(props: { readonly rows?: number; readonly height?: number }) {
  const { t } = useWords(uiWords);
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), SHOW_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  const height = props.height ?? 46;
  const rows = Array.from({ length: props.rows ?? 6 }, (_, index) => index);
  return (
    <div role="status" aria-label={t('loading')}>
      {rows.map((row) => (
        <div key={row} className={classes.skeletonRow} style={{ height }}>
          {isShown && <Skeleton height={12} width={`${70 - ((row * 13) % 30)}%`} radius="sm" />}
        </div>
      ))}
    </div>
  );
}
