import type { GalleryVersion } from '@keyreeve/sdk';
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { Panel } from '../../ui/panel.tsx';
import classes from './gallery.module.css';
import { galleryWords } from './gallery.words.ts';

const LISTS = [
  'editions',
  'cmdlets',
  'functions',
  'commands',
  'dscResources',
  'roleCapabilities',
  'workflows',
] as const;
type ListName = (typeof LISTS)[number];
const FIRST = 40;

function ItemList(props: { readonly name: ListName; readonly items: readonly string[] }) {
  const { name, items } = props;
  const { t } = useWords(galleryWords);
  const [isWhole, setWhole] = useState(items.length <= FIRST);
  const shown = isWhole ? items : items.slice(0, FIRST);
  return (
    <div className={classes.group}>
      <h3 className={classes.groupTitle}>{t(name)}</h3>
      <ul className={classes.tagList}>
        {shown.map((item) => (
          <li key={item}>
            <bdi className={`${classes.tag} kr-mono`}>{item}</bdi>
          </li>
        ))}
      </ul>
      {!isWhole && (
        <Button mt="xs" size="xs" variant="subtle" onClick={() => setWhole(true)}>
          {t('more', { count: items.length - FIRST })}
        </Button>
      )}
    </div>
  );
}

/** Of a module or a script of PowerShell: what can be called and used once it is installed. */
export function ContentsPanel({ value }: { readonly value: GalleryVersion }) {
  const { t } = useWords(galleryWords);
  const { itemTypes } = value;
  if (itemTypes === null) return null;
  const named = new Set([...itemTypes.functions, ...itemTypes.cmdlets]);
  // Functions and cmdlets are commands as well; what is left are aliases and the commands of scripts.
  const lists = { ...itemTypes, commands: itemTypes.commands.filter((command) => !named.has(command)) };
  const filled = LISTS.filter((name) => lists[name].length > 0);
  if (filled.length === 0) return null;
  return (
    <Panel title={t('contents')}>
      {filled.map((name) => (
        <ItemList key={name} name={name} items={lists[name]} />
      ))}
    </Panel>
  );
}

export function DependenciesPanel({ value }: { readonly value: GalleryVersion }) {
  const { t } = useWords(galleryWords);
  const groups = value.dependencyGroups;
  if (groups.every(({ dependencies }) => dependencies.length === 0)) return null;
  return (
    <Panel title={t('dependencies')}>
      {groups.map((group, index) => (
        <div key={`${group.targetFramework ?? ''} ${String(index)}`} className={classes.group}>
          {(groups.length > 1 || group.targetFramework !== null) && (
            <h3 className={classes.groupTitle}>
              <bdi>{group.targetFramework ?? t('anyFramework')}</bdi>
            </h3>
          )}
          {group.dependencies.length === 0 ? (
            <p className="kr-dimmed">{t('noDependencies')}</p>
          ) : (
            <ul className={classes.dependencies}>
              {group.dependencies.map((dependency) => (
                <Dependency key={dependency.id} {...dependency} />
              ))}
            </ul>
          )}
        </div>
      ))}
    </Panel>
  );
}

function Dependency(props: { readonly id: string; readonly range: string; readonly isHere: boolean }) {
  const { id, range, isHere } = props;
  const { t } = useWords(galleryWords);
  return (
    <li className={classes.dependency}>
      {isHere ? (
        <Link to="/packages/$id" params={{ id: id.toLowerCase() }} className={classes.link ?? ''}>
          {id}
        </Link>
      ) : (
        <bdi>{id}</bdi>
      )}
      <span className="kr-mono kr-dimmed">{range}</span>
      {!isHere && <span className="kr-dimmed kr-small">{t('notHere')}</span>}
    </li>
  );
}
