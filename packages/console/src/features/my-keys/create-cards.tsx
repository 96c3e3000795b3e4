import { UnstyledButton } from '@mantine/core';
import { IconChevronRight, IconEyeOff, IconKey, IconPackageExport } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useConnection } from '../../api/connection.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './my-keys.module.css';
import { myKeysWords } from './my-keys.words.ts';

export type Purpose = 'push' | 'unlist' | 'account';

/** What keys are mostly made for: each opens the create dialog with that already chosen. */
export function CreateCards(props: { readonly onCreate: (purpose: Purpose) => void }) {
  const { t } = useWords(myKeysWords);
  const icon = { size: 20, stroke: 1.75, 'aria-hidden': true, className: 'kr-petrol' } as const;
  return (
    <section aria-labelledby="create-keys" className={classes.section}>
      <h2 id="create-keys" className={classes.sectionTitle}>
        {t('create')}
      </h2>
      <div className={classes.cards}>
        <Card
          icon={<IconPackageExport {...icon} />}
          title={t('publish')}
          text={t('publishText')}
          onClick={() => props.onCreate('push')}
        />
        <Card
          icon={<IconEyeOff {...icon} />}
          title={t('unlist')}
          text={t('unlistText')}
          onClick={() => props.onCreate('unlist')}
        />
        <Card
          icon={<IconKey {...icon} />}
          title={t('act')}
          text={t('actText')}
          onClick={() => props.onCreate('account')}
        />
      </div>
    </section>
  );
}

function Card(props: {
  readonly icon: ReactNode;
  readonly title: string;
  readonly text: string;
  readonly onClick: () => void;
}) {
  const { isOffline } = useConnection();
  return (
    <UnstyledButton className={classes.card ?? ''} onClick={props.onClick} disabled={isOffline}>
      {props.icon}
      <span className={classes.cardText}>
        <span className={classes.cardTitle}>{props.title}</span>
        <span className="kr-small kr-dimmed">{props.text}</span>
      </span>
      <IconChevronRight size={16} stroke={1.75} aria-hidden className="kr-dimmed" />
    </UnstyledButton>
  );
}
