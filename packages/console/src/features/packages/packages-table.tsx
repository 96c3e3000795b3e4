import type { Package } from '@keyreeve/sdk';
import { Highlight } from '@mantine/core';
import { IconEye, IconEyeOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useWords } from '../../i18n/words.tsx';
import { AccountMark } from '../../ui/account-mark.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Recent } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { PackageTile } from '../gallery/package-tile.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

export function ListedState(props: { readonly isListed: boolean }) {
  const { t } = useWords(packagesWords);
  return (
    <span className={classes.state}>
      {props.isListed ? (
        <IconEye {...ICON} className="kr-green" />
      ) : (
        <IconEyeOff {...ICON} className="kr-dimmed" />
      )}
      {props.isListed ? t('listed') : t('unlisted')}
    </span>
  );
}

function PackageName(props: { readonly value: Package; readonly q: string }) {
  const { value, q } = props;
  return (
    <span className={classes.name}>
      <PackageTile id={value.id} iconVersion={value.hasIcon ? value.latestVersion : null} kind={value.kind} />
      <span className={classes.nameText}>
        <Link
          to="/packages/$id"
          params={{ id: value.id }}
          className={classes.link}
          title={value.displayId}
          data-truncate
        >
          <Highlight component="span" inherit highlight={q}>
            {value.displayId}
          </Highlight>
        </Link>
        {value.description !== null && <Truncate text={value.description} className="kr-dimmed kr-small" />}
      </span>
    </span>
  );
}

function Owners(props: { readonly value: Package }) {
  const { t } = useWords(packagesWords);
  const [first, ...others] = props.value.ownerAccounts;
  if (first === undefined) return '–';
  return (
    <span className={classes.name}>
      <AccountMark name={first.displayName} kind={first.kind} />
      <span className={classes.nameText}>
        <Truncate text={first.displayName} />
        {others.length > 0 && (
          <span className="kr-dimmed kr-small">{t('moreOwners', { count: others.length })}</span>
        )}
      </span>
    </span>
  );
}

export function PackagesTable(props: {
  readonly items: readonly Package[];
  readonly q: string;
  readonly sort: 'name' | 'pushedAt';
  readonly onSort: (sort: string) => void;
}) {
  const { t } = useWords(packagesWords);
  const columns: readonly Column<Package>[] = [
    {
      id: 'package',
      header: t('package'),
      sort: 'name',
      width: '34%',
      narrow: 'title',
      cell: (value) => <PackageName value={value} q={props.q} />,
    },
    {
      id: 'latest',
      header: t('latest'),
      cell: (value) => <Truncate isMono text={value.latestVersion ?? '–'} />,
    },
    {
      id: 'versions',
      header: t('versions'),
      cell: (value) => (
        <>
          {value.versionCount}
          {value.listedVersionCount < value.versionCount && (
            <div className="kr-dimmed kr-small">
              {t('unlistedCount', { count: value.versionCount - value.listedVersionCount })}
            </div>
          )}
        </>
      ),
    },
    { id: 'owner', header: t('owner'), width: '20%', cell: (value) => <Owners value={value} /> },
    {
      id: 'published',
      header: t('published'),
      sort: 'pushedAt',
      cell: (value) => <Recent at={value.lastPushedAt} />,
    },
    {
      id: 'state',
      header: t('state'),
      cell: (value) => <ListedState isListed={value.listedVersionCount > 0} />,
    },
  ];
  return (
    <Table
      label={t('title')}
      columns={columns}
      rows={props.items}
      keyOf={(value) => value.id}
      isDimmed={(value) => value.listedVersionCount === 0}
      sorting={{ sort: props.sort, order: props.sort === 'name' ? 'asc' : 'desc' }}
      onSort={({ sort }) => props.onSort(sort)}
    />
  );
}
