import { DAY_MS, formatDateLong } from '../../format/dates.ts';
import type { Language } from '../../i18n/i18n.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { useNow } from '../../ui/use-now.ts';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';
import { type KeyDraft, packageActionsOf, validResourcesOf } from './create-key-draft.ts';
import { type Coverage, useCoverage } from './use-coverage.ts';

const SHOWN_MAX = 3;
const PARTS = { b: <b />, d: <b className="kr-nowrap" />, code: <code /> };

interface Props {
  readonly draft: KeyDraft;
  readonly name: string;
  readonly ownerId: string;
  readonly days: number;
}

/** The whole key in one sentence, as it would be made now. */
export function KeySentence(props: Props) {
  const { t, language } = useWords(createKeyWords);
  const now = useNow();
  const { draft, name } = props;
  const date = formatDateLong(now + props.days * DAY_MS, language);
  const others = draft.others.filter(({ action }) => action.trim() !== '').map(({ action }) => action.trim());
  const list = (items: readonly string[]) => listShort(items, language, t);
  const hasPackages = packageActionsOf(draft).length > 0;
  if (draft.access === 'account')
    return (
      <p className={classes.sentence}>
        <Rich words={createKeyWords} k="mayAccount" values={{ name, date }} parts={PARTS} />
      </p>
    );
  if (!hasPackages)
    return (
      <p className={classes.sentence}>
        {others.length === 0 ? (
          t('mayNothing')
        ) : (
          <Rich words={createKeyWords} k="mayOther" values={{ actions: list(others), date }} parts={PARTS} />
        )}
      </p>
    );
  return (
    <p className={classes.sentence}>
      <PackageSentence {...props} date={date} list={list} />{' '}
      {others.length > 0 && (
        <Rich words={createKeyWords} k="mayAlso" values={{ actions: list(others) }} parts={PARTS} />
      )}
    </p>
  );
}

type Translate = ReturnType<typeof useWords<'andMore'>>['t'];

function listShort(items: readonly string[], language: Language, t: Translate): string {
  const shown = items.slice(0, SHOWN_MAX).join(language === 'ja' ? '、' : ', ');
  return items.length <= SHOWN_MAX ? shown : t('andMore', { list: shown, count: items.length - SHOWN_MAX });
}

const VERBS = {
  'package:push': 'verbPush',
  'package:push package:unlist': 'verbPushUnlist',
  'package:pushversion': 'verbVersion',
  'package:pushversion package:unlist': 'verbVersionUnlist',
  'package:unlist': 'verbUnlist',
} as const;

function isVerb(actions: string): actions is keyof typeof VERBS {
  return Object.hasOwn(VERBS, actions);
}

function PackageSentence(
  props: Props & { readonly date: string; readonly list: (items: readonly string[]) => string },
) {
  const { draft, ownerId, date, list } = props;
  const { t } = useWords(createKeyWords);
  const { data } = useCoverage({ ownerId, patterns: validResourcesOf(draft), q: '' });
  const count = data?.coveredCount ?? 0;
  const future = futureOf(draft, data);
  const patterns = list(future);
  const actions = packageActionsOf(draft).join(' ');
  if (!isVerb(actions))
    return (
      <Rich
        words={createKeyWords}
        k={draft.mayUnlist ? 'mayNewUnlist' : 'mayNew'}
        values={{ patterns, count, date }}
        parts={PARTS}
      />
    );
  return (
    <Rich
      words={createKeyWords}
      k={future.length === 0 ? 'may' : 'mayFuture'}
      values={{ verbs: t(VERBS[actions]), count, patterns, date }}
      parts={PARTS}
    />
  );
}

/** Patterns under which packages may come later: those with a `*`, and names that nothing has yet. */
function futureOf(draft: KeyDraft, data: Coverage | undefined): readonly string[] {
  const isEmpty = (name: string) => data?.groups.find(({ pattern }) => pattern === name)?.count === 0;
  return validResourcesOf({ ...draft, singles: [] }).filter((name) => name.includes('*') || isEmpty(name));
}
