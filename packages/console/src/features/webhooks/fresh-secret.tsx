import { useWords } from '../../i18n/words.tsx';
import { OneTimeSecret } from '../keys/one-time-secret.tsx';
import { webhooksWords } from './webhooks.words.ts';
import type { SealedWebhook } from './webhooks-queries.ts';

/** The secret of a webhook, this once. */
export function FreshWebhookSecret(props: {
  readonly sealed: SealedWebhook | null;
  readonly title: string;
  readonly onClose: () => void;
}) {
  const { sealed, title, onClose } = props;
  const { t } = useWords(webhooksWords);
  return (
    <OneTimeSecret
      box={sealed?.box ?? null}
      title={title}
      about={<bdi className="kr-mono">{sealed?.webhook.url}</bdi>}
      lines={[
        { label: t('secret'), hint: t('secretHint'), copy: t('copySecret'), copied: t('secretCopied') },
      ]}
      notices={{ warn: t('warn'), copied: t('copied'), gone: t('goneSecret') }}
      lost={t('lost')}
      onClose={onClose}
    />
  );
}
