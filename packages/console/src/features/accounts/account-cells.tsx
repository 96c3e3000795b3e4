import { Badge, Highlight } from '@mantine/core';
import { IconCircleX, IconHourglassLow } from '@tabler/icons-react';
import type { MouseEvent } from 'react';
import { daysLeft, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { AccountMark } from '../../ui/account-mark.tsx';
import { useNow } from '../../ui/use-now.ts';
import classes from './accounts.module.css';
import { accountsWords } from './accounts.words.ts';
import { type Account, isUser } from './accounts-queries.ts';

/** A text on one line, with what was searched for marked in it. */
export function Found(props: {
  readonly text: string;
  readonly q: string;
  readonly className?: string | undefined;
}) {
  const { text, q, className = '' } = props;
  return (
    <bdi className={`kr-truncate ${className}`} title={text} data-truncate>
      {q === '' ? (
        text
      ) : (
        // The server compares letters as they are; marking more than it looked for would puzzle.
        <Highlight component="span" inherit highlight={q} accentInsensitive={false}>
          {text}
        </Highlight>
      )}
    </bdi>
  );
}

/** Mark and name; the name leads to the account. A plain link: the router's own would watch the address once a row. */
export function NameCell(props: {
  readonly account: Account;
  readonly q: string;
  readonly href: string;
  readonly onOpen: () => void;
}) {
  const { account, q, href, onOpen } = props;
  const open = (event: MouseEvent) => {
    const wantsOwnTab = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (wantsOwnTab || event.button !== 0) return;
    event.preventDefault();
    onOpen();
  };
  return (
    <span className={classes.name}>
      <AccountMark
        name={account.displayName}
        kind={isUser(account) ? 'user' : 'service'}
        isDisabled={account.state === 'disabled'}
      />
      <a href={href} className={classes.link} onClick={open}>
        <Found text={account.displayName} q={q} />
      </a>
    </span>
  );
}

/** How many keys, and what of them needs somebody. */
export function KeysCell(props: { readonly account: Account }) {
  const { t, language } = useWords(accountsWords);
  const now = useNow();
  const number = (value: number) => formatNumber(value, language);
  const { keys } = props.account;
  if (keys === null) return null;
  const { total, expired, expiring, nextExpiresAt } = keys;
  return (
    <span className={classes.keys}>
      <span className={total === 0 ? 'kr-dimmed' : ''}>{number(total)}</span>
      {expired > 0 && (
        <Badge color="red" leftSection={<IconCircleX size={12} stroke={2} aria-hidden />}>
          {t('expired', { n: number(expired) })}
        </Badge>
      )}
      {expired === 0 && expiring > 0 && nextExpiresAt !== null && (
        <Badge color="amber" leftSection={<IconHourglassLow size={12} stroke={2} aria-hidden />}>
          {t('expiring', { n: number(expiring), count: Math.max(1, daysLeft(nextExpiresAt, now)) })}
        </Badge>
      )}
    </span>
  );
}

/** The first tag, and how many more there are. */
export function TagsCell(props: { readonly tags: readonly string[] }) {
  const { t } = useWords(accountsWords);
  const { tags } = props;
  const [first] = tags;
  if (first === undefined) return <span className="kr-dimmed">–</span>;
  return (
    <span className={classes.tags}>
      <bdi className={classes.tag} title={first} data-truncate>
        {first}
      </bdi>
      {tags.length > 1 && (
        <span className={`${classes.tag} ${classes.moreTags}`} title={tags.slice(1).join(', ')}>
          {t('moreTags', { n: tags.length - 1 })}
        </span>
      )}
    </span>
  );
}
