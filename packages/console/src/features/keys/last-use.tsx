import type { Key } from '@keyreeve/sdk';
import { describeAgent } from '../../format/agent.ts';
import { formatRelative } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { useNow } from '../../ui/use-now.ts';
import { keyDialogsWords } from './key-dialogs.words.ts';

/** "Last used 12 min ago by NuGet 6.12.", as a sentence. */
export function LastUse(props: { readonly value: Key }) {
  const { t, language } = useWords(keyDialogsWords);
  const now = useNow();
  const { lastUsedAt, lastUsedAgent } = props.value;
  if (lastUsedAt === null) return <>{t('neverUsed')}</>;
  const ago = formatRelative(lastUsedAt, now, language);
  const agent = lastUsedAgent === null ? '' : describeAgent(lastUsedAgent);
  return <>{agent === '' ? t('lastUsed', { ago }) : t('lastUsedBy', { ago, agent })}</>;
}
