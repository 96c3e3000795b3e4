import type { Key, Permission } from '@keyreeve/sdk';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import classes from './key-access.module.css';
import { keyAccessWords } from './key-access.words.ts';

const LINES = {
  'package:push': 'push',
  'package:pushnew': 'pushNew',
  'package:pushversion': 'pushVersion',
  'package:unlist': 'unlist',
  'package:read': 'read',
  'package:*': 'packageAll',
} as const;

/** In the order in which people look for them, whatever the order of the wire. */
const ORDER = Object.keys(LINES);

function isNamed(action: string): action is keyof typeof LINES {
  return Object.hasOwn(LINES, action);
}

/** Each action of the scopes once: those with a name of their own first. */
export function actionsOf(scopes: readonly Permission[]): readonly string[] {
  const actions = [...new Set(scopes.flatMap((scope) => scope.actions))];
  return [...ORDER.filter((action) => actions.includes(action)), ...actions.filter((one) => !isNamed(one))];
}

/** Each pattern and single name of the scopes once. */
export function resourcesOf(scopes: readonly Permission[]): readonly string[] {
  return [...new Set(scopes.flatMap((scope) => scope.resources))];
}

/** What scopes allow, a line for each action; actions of other services stand as they are spelled. */
export function ActionLines(props: { readonly scopes: readonly Permission[] }) {
  const { t } = useWords(keyAccessWords);
  return (
    <div className={classes.lines}>
      {actionsOf(props.scopes).map((action) =>
        isNamed(action) ? (
          <div key={action}>{t(LINES[action])}</div>
        ) : (
          <div key={action} className="kr-mono">
            {action}
          </div>
        ),
      )}
    </div>
  );
}

/** What a key may do, in whole words: for cards and dialogs. */
export function KeyMay(props: { readonly value: Key }) {
  const { t } = useWords(keyAccessWords);
  const { access, scopes } = props.value;
  if (access === 'scoped') return <ActionLines scopes={scopes} />;
  return <div>{access === 'full' ? t('everything') : t('account')}</div>;
}

const SHORT = {
  'package:push': 'shortPush',
  'package:pushnew': 'shortNew',
  'package:pushversion': 'shortVersion',
  'package:unlist': 'shortUnlist',
  'package:push package:unlist': 'shortPushUnlist',
  'package:pushnew package:unlist': 'shortNewUnlist',
  'package:pushversion package:unlist': 'shortVersionUnlist',
} as const;

function isShort(name: string): name is keyof typeof SHORT {
  return Object.hasOwn(SHORT, name);
}

/** What a key may do, in one line for tables: "Push, unlist · 2 patterns"; below it the owner it acts for. */
export function KeyAccess(props: { readonly value: Key }) {
  const { t } = useWords(keyAccessWords);
  const { access, scopes, accountId, ownerId, owner } = props.value;
  const actions = actionsOf(scopes);
  const count = resourcesOf(scopes).length;
  const name = actions.join(' ');
  const text =
    access === 'account'
      ? t('account')
      : access === 'full'
        ? t('full')
        : isShort(name)
          ? t(SHORT[name], { count })
          : t('shortOther', { actions: actions.join(', '), count });
  const second =
    access === 'full'
      ? t('legacy')
      : ownerId === accountId
        ? null
        : t('forOwner', { name: owner.displayName });
  return (
    <>
      <Truncate text={text} />
      {second !== null && <Truncate text={second} className="kr-small kr-dimmed" />}
    </>
  );
}

/** One pattern; what stands for any characters is petrol. */
export function PatternText(props: { readonly pattern: string }) {
  const parts = props.pattern.split(/(\*)/);
  return (
    <bdi className="kr-mono">
      {parts.map((part, index) =>
        part === '*' ? (
          <b key={index} className="kr-petrol">
            *
          </b>
        ) : (
          part
        ),
      )}
    </bdi>
  );
}

/** Patterns and single packages as pills: the first ones, and a button for the rest. */
export function PatternPills(props: { readonly resources: readonly string[]; readonly shownMax?: number }) {
  const { resources, shownMax = 4 } = props;
  const { t } = useWords(keyAccessWords);
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? resources : resources.slice(0, shownMax);
  const hiddenCount = resources.length - shown.length;
  return (
    <ul className={classes.pills}>
      {shown.map((resource) => (
        <li key={resource} className={classes.pill}>
          <PatternText pattern={resource} />
        </li>
      ))}
      {hiddenCount > 0 && (
        <li>
          <button type="button" className={`${classes.more} kr-petrol`} onClick={() => setWhole(true)}>
            {t('morePatterns', { count: hiddenCount })}
          </button>
        </li>
      )}
    </ul>
  );
}
