import type { GalleryVersion } from '@keyreeve/sdk';
import { Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { consoleQuery } from '../../app/console-info.ts';
import { useWords } from '../../i18n/words.tsx';
import { CopyIcon } from '../../ui/copy-button.tsx';
import classes from './gallery.module.css';
import { galleryWords } from './gallery.words.ts';
import { buildInstallCommands, type InstallClient } from './install-commands.ts';

/** What one types to install the version, from this very gallery. */
export function InstallPanel(props: { readonly value: GalleryVersion }) {
  const { id, version, kind, isPrerelease } = props.value;
  const { t } = useWords(galleryWords);
  const [chosen, setChosen] = useState<InstallClient | null>(null);
  const { data: info } = useQuery(consoleQuery);
  if (info === undefined) return null;
  const words = { register: t('register'), credentials: t('credentials') };
  const isOpen = info.isGalleryOpen;
  const commands = buildInstallCommands({
    baseUrl: info.url,
    id,
    version,
    kind,
    isPrerelease,
    isOpen,
    words,
  });
  const shown = commands.find(({ client }) => client === chosen) ?? commands[0];
  if (shown === undefined) return null;
  return (
    <section aria-label={t('install')}>
      <Tabs
        value={shown.client}
        onChange={(value) => setChosen(value as InstallClient | null)}
        // The languages differ in length, and on a telephone there is room for three.
        classNames={{ list: classes.tabs ?? '' }}
      >
        <Tabs.List>
          {commands.map(({ client, label }) => (
            <Tabs.Tab key={client} value={client}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {commands.map(({ client, text }) => (
          <Tabs.Panel key={client} value={client} className={classes.command ?? ''}>
            <pre className={`${classes.commandText} kr-mono`} tabIndex={0}>
              {text}
            </pre>
            <CopyIcon text={text} label={t('copyCommand')} className={classes.copy ?? ''} />
          </Tabs.Panel>
        ))}
      </Tabs>
      {!isOpen && <p className="kr-dimmed kr-small">{t('privateNote')}</p>}
    </section>
  );
}
