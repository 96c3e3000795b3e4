import { Button, Tabs } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { buildSnippet, renderSnippet } from '../../snippets/snippets.ts';
import { copyText } from '../../ui/clipboard.ts';
import { CopyIcon } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { notifyDone, notifyProblem } from '../../ui/notify.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';

const WAYS = [
  { kind: 'nuget', label: 'nuget push' },
  { kind: 'psresource', label: 'Publish-PSResource' },
  { kind: 'github', label: 'GitHub Actions' },
] as const;
type Way = (typeof WAYS)[number]['kind'];

/** The commands for a push to this server; the key comes from the environment, so that nothing secret is shown. */
export function HowToPush(props: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const { t } = useWords(packagesWords);
  const { t: ui } = useWords(uiWords);
  const { workspace } = useSession();
  const [way, setWay] = useState<Way>('nuget');
  const address = `${workspace.url}/api/v2/package`;
  const textOf = (kind: Way) =>
    renderSnippet(buildSnippet(kind, { baseUrl: workspace.url, apiKey: 'kr_…', mode: 'environment' }), {
      secretKey: '',
      fullKey: '',
    });
  const copy = async () => {
    if (await copyText(textOf(way))) notifyDone(ui('copied'));
    else notifyProblem(ui('copyFailed'));
  };
  return (
    <Dialog
      isOpen={props.isOpen}
      onClose={props.onClose}
      size="medium"
      title={t('pushTitle')}
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconCopy size={16} stroke={1.75} />}
            onClick={() => void copy()}
          >
            {t('copySnippet')}
          </Button>
          <Button onClick={props.onClose}>{ui('done')}</Button>
        </>
      }
    >
      <p>{t('pushText')}</p>
      <div className={classes.address}>
        <span className="kr-dimmed">{t('pushAddress')}</span>
        <span className="kr-mono">{address}</span>
        <CopyIcon text={address} label={t('copyAddress')} />
      </div>
      <Tabs value={way} onChange={(value) => setWay((value ?? 'nuget') as Way)}>
        <Tabs.List>
          {WAYS.map(({ kind, label }) => (
            <Tabs.Tab key={kind} value={kind}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {WAYS.map(({ kind }) => (
          <Tabs.Panel key={kind} value={kind} pt="sm">
            <pre className={`${classes.code} kr-mono`} tabIndex={0}>
              {textOf(kind)}
            </pre>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Dialog>
  );
}
