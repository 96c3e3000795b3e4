import { TextInput } from '@mantine/core';
import { IconInfinity, IconSearch } from '@tabler/icons-react';
import { useEffect, useId, useRef, useState } from 'react';
import { formatNumber } from '../../format/dates.ts';
import { asciiLower } from '../../format/pattern-view.ts';
import { useWords } from '../../i18n/words.tsx';
import { SkeletonRows } from '../../ui/states.tsx';
import { coverageWords } from './coverage.words.ts';
import { PackageGroup, type PackageRow } from './coverage-group.tsx';
import classes from './coverage-panel.module.css';
import { PatternText } from './key-access.tsx';
import { addPatterns } from './pattern-list.ts';
import { type Coverage, useCoverage } from './use-coverage.ts';

export interface CoveragePanelProps {
  readonly ownerId: string;
  /** Patterns without faults. */
  readonly patterns: readonly string[];
  /** Packages chosen one by one. */
  readonly singles: readonly string[];
  readonly onSingles: (singles: readonly string[]) => void;
  /** Pushing what exists is not among the permissions. */
  readonly isOnlyNew?: boolean;
}

/** What the patterns match now, and the list in which single packages are ticked. */
export function CoveragePanel(props: CoveragePanelProps) {
  const { ownerId, patterns, singles } = props;
  const { t, language } = useWords(coverageWords);
  const titleId = useId();
  const [q, setQ] = useState('');
  const { data, isError } = useCoverage({ ownerId, patterns: [...patterns, ...singles], q: q.trim() });
  return (
    <section className={classes.panel} aria-labelledby={titleId}>
      <div className={classes.head}>
        <div className={classes.line}>
          <h3 id={titleId} className={classes.title}>
            {t('title')}
          </h3>
          {data !== undefined && <span className="kr-secondary">{wordOwned(t, data)}</span>}
        </div>
        <div className={classes.figure} role="status">
          <span className={classes.count}>{formatNumber(data?.coveredCount ?? 0, language)}</span>{' '}
          <span className="kr-secondary">{t('packages', { count: data?.coveredCount ?? 0 })}</span>
        </div>
        <TextInput
          type="search"
          aria-label={t('find')}
          placeholder={t('find')}
          maxLength={200}
          value={q}
          onChange={(event) => setQ(event.currentTarget.value)}
          // Otherwise Escape closes the dialog around it.
          data-mantine-stop-propagation={q === '' ? undefined : 'true'}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setQ('');
            if (event.key === 'Enter') event.preventDefault();
          }}
          leftSection={<IconSearch size={16} stroke={1.75} aria-hidden />}
        />
      </div>
      <div className={classes.list} role="group" aria-label={t('list')} tabIndex={0}>
        {isError && <p className={classes.note}>{t('failed')}</p>}
        {data === undefined && !isError && <SkeletonRows height={30} />}
        {data !== undefined && <PackageList {...props} data={data} q={q.trim()} />}
      </div>
      <div className={classes.foot}>
        <IconInfinity size={16} stroke={1.75} className="kr-petrol" aria-hidden />
        <span>{t(props.isOnlyNew === true ? 'onlyNew' : 'future')}</span>
      </div>
    </section>
  );
}

function wordOwned(t: ReturnType<typeof useWords<'owned' | 'ownedPartly'>>['t'], data: Coverage): string {
  return t(data.isPartial ? 'ownedPartly' : 'owned', { count: data.ownedCount });
}

/** A row changes its group when it is ticked, and its box is another one then: the focus goes with it. */
function useFollowingFocus(data: Coverage) {
  const list = useRef<HTMLDivElement>(null);
  const ticked = useRef<string | null>(null);
  useEffect(() => {
    const isLost = document.activeElement === null || document.activeElement === document.body;
    if (ticked.current === null || !isLost) return;
    const boxes = [...(list.current?.querySelectorAll<HTMLInputElement>('input[data-package]') ?? [])];
    boxes.find((box) => box.dataset['package'] === ticked.current)?.focus();
  }, [data]);
  return {
    list,
    note: (name: string) => {
      ticked.current = name;
    },
  };
}

function PackageList(props: CoveragePanelProps & { readonly data: Coverage; readonly q: string }) {
  const { patterns, singles, onSingles, data, q } = props;
  const { t } = useWords(coverageWords);
  const focus = useFollowingFocus(data);
  const toggle = (name: string, isTicked: boolean) => {
    focus.note(name);
    onSingles(isTicked ? addPatterns(singles, [name], true) : singles.filter((each) => !isSame(each, name)));
  };
  const isSingle = (name: string) => singles.some((each) => isSame(each, name));
  const held = data.groups.filter(({ pattern, count }) => count > 0 && patterns.includes(pattern));
  const chosen = data.groups.filter(({ pattern }) => !patterns.includes(pattern));
  const toRow = ({ displayId, latestVersion }: Coverage['notCovered']['packages'][number]): PackageRow => ({
    name: displayId,
    version: latestVersion,
    isTicked: isSingle(displayId),
  });
  const isEmpty = [...data.groups, data.notCovered].every(({ packages }) => packages.length === 0);
  return (
    <div ref={focus.list}>
      {isEmpty && (
        <p className={classes.note}>{data.ownedCount === 0 ? t('noneOwned') : t('noneFound', { q })}</p>
      )}
      {held.map(({ pattern, count, packages }) => (
        <PackageGroup
          key={pattern}
          title={<PatternText pattern={pattern} />}
          heldBy={pattern}
          count={count}
          rows={packages.map(toRow)}
        />
      ))}
      <PackageGroup
        title={t('chosen')}
        count={chosen.reduce((sum, { count }) => sum + count, 0)}
        rows={chosen.flatMap(({ packages }) => packages.map(toRow))}
        onToggle={toggle}
      />
      <PackageGroup
        title={t('notCovered')}
        count={data.notCovered.count}
        rows={data.notCovered.packages.map(toRow)}
        onToggle={toggle}
      />
    </div>
  );
}

function isSame(one: string, other: string): boolean {
  return asciiLower(one) === asciiLower(other);
}
