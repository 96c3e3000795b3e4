import { Button, SegmentedControl, Tabs } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import {
  buildSnippet,
  renderSnippet,
  SNIPPET_KINDS,
  type SnippetKind,
  type SnippetPart,
} from '../../snippets/snippets.ts';
import { keyResultWords } from './key-result.words.ts';
import { SealedChip } from './sealed.tsx';
import type { SecretBox } from './secret-box.ts';
import classes from './use-it.module.css';
import type { SecretCopy } from './use-secret-copy.ts';

/** Names of programs, the same in each language. */
const TABS: Readonly<Record<SnippetKind, string>> = {
  curl: 'cURL',
  python: 'Python',
  javascript: 'JavaScript',
  nuget: 'nuget push',
  psresource: 'Publish-PSResource',
  github: 'GitHub Actions',
  nginx: 'nginx',
};

type Mode = 'values' | 'environment';

/** Ready snippets with the real host. The secret is a sealed chip in the code; only the clipboard gets its value. */
export function UseIt(props: { readonly box: SecretBox; readonly copy: SecretCopy }) {
  const { box, copy } = props;
  const { t } = useWords(keyResultWords);
  const [mode, setMode] = useState<Mode>('values');
  const [kind, setKind] = useState<SnippetKind>('curl');
  const shownMode = copy.isGone ? 'environment' : mode;
  return (
    <section aria-label={t('useIt')}>
      <div className={classes.head}>
        <h3 className={classes.title}>{t('useIt')}</h3>
        <SegmentedControl
          size="xs"
          aria-label={t('values')}
          disabled={copy.isGone}
          value={shownMode}
          onChange={(value) => setMode(value)}
          data={[
            { value: 'values', label: t('filledIn') },
            { value: 'environment', label: t('fromEnvironment') },
          ]}
        />
      </div>
      <Tabs
        value={kind}
        onChange={(value) => setKind((value ?? 'curl') as SnippetKind)}
        classNames={{ list: classes.list ?? '', tab: classes.tab ?? '' }}
      >
        <Tabs.List aria-label={t('snippets')}>
          {SNIPPET_KINDS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {TABS[each]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {SNIPPET_KINDS.map((each) => (
          <Tabs.Panel key={each} value={each}>
            {each === kind && <Snippet key={shownMode} kind={kind} mode={shownMode} box={box} copy={copy} />}
          </Tabs.Panel>
        ))}
      </Tabs>
    </section>
  );
}

function Snippet(props: {
  readonly kind: SnippetKind;
  readonly mode: Mode;
  readonly box: SecretBox;
  readonly copy: SecretCopy;
}) {
  const { kind, mode, box, copy } = props;
  const { t, language } = useWords(keyResultWords);
  const { workspace } = useSession();
  const [isCopied, setCopied] = useState(false);
  const parts = buildSnippet(kind, { baseUrl: workspace.url, apiKey: box.apiKey, mode, locale: language });
  const holdsSecret = parts.some((part) => 'secret' in part);
  const copySnippet = async () => {
    if (await copy.copyComposed(() => compose(parts, box), holdsSecret)) setCopied(true);
  };
  const icon = isCopied ? (
    <IconCheck size={14} stroke={1.75} className="kr-green" aria-hidden />
  ) : (
    <IconCopy size={14} stroke={1.75} aria-hidden />
  );
  return (
    <div className={classes.frame}>
      <SnippetCode parts={parts} />
      <div className={classes.foot}>
        <span className="kr-dimmed">{t(noteOf(kind, holdsSecret))}</span>
        <Button size="xs" variant="default" leftSection={icon} onClick={() => void copySnippet()}>
          {isCopied ? t('snippetCopied') : t('copySnippet')}
        </Button>
      </div>
    </div>
  );
}

function noteOf(kind: SnippetKind, holdsSecret: boolean) {
  if (holdsSecret) return 'hostFilledIn';
  if (kind === 'github') return 'holdsNoSecret';
  return kind === 'nginx' ? 'callersBringKeys' : 'readsEnvironment';
}

function compose(parts: readonly SnippetPart[], box: SecretBox): string | null {
  const secretKey = box.read('secretKey');
  const fullKey = box.read('fullKey');
  const needsSecret = parts.some((part) => 'secret' in part);
  if (needsSecret && (secretKey === null || fullKey === null)) return null;
  return renderSnippet(parts, { secretKey: secretKey ?? '', fullKey: fullKey ?? '' });
}

function SnippetCode(props: { readonly parts: readonly SnippetPart[] }) {
  const { t } = useWords(keyResultWords);
  return (
    <pre className={classes.code} translate="no">
      <code>
        {props.parts.map((part, index) =>
          'text' in part ? (
            <span key={index} data-tone={part.tone}>
              {part.text}
            </span>
          ) : (
            <SealedChip key={index} text={t(part.secret === 'fullKey' ? 'fullKeyChip' : 'secretKeyChip')} />
          ),
        )}
      </code>
    </pre>
  );
}
