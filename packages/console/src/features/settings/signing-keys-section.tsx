import type { SigningKey } from '@keyreeve/sdk';
import { useDisclosure } from '@mantine/hooks';
import { IconCircleCheck, IconCircleMinus, IconClock, IconShieldCheck } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { formatDays, formatInstant } from '../../format/dates.ts';
import { Rich, say, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Day } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { NumberField } from './number-field.tsx';
import { Section } from './section.tsx';
import classes from './settings.module.css';
import { signingKeysWords } from './signing-keys.words.ts';
import {
  refreshSigningKeys,
  retireSigningKey,
  rotateSigningKeys,
  signingKeysQuery,
} from './signing-keys-queries.ts';
import type { SettingsForm } from './use-settings-form.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;
const ICONS = {
  signing: { Icon: IconCircleCheck, tone: 'kr-green' },
  waiting: { Icon: IconClock, tone: 'kr-dimmed' },
  verifying: { Icon: IconShieldCheck, tone: 'kr-dimmed' },
  retired: { Icon: IconCircleMinus, tone: 'kr-dimmed' },
} as const;

/** What the key does, and until when. */
function KeyState({ value }: { readonly value: SigningKey }) {
  const { t, language } = useWords(signingKeysWords);
  const { Icon, tone } = ICONS[value.state];
  const { key, at } = {
    signing: { key: 'signingUntil', at: value.rotatesAt },
    waiting: { key: 'waitingUntil', at: value.activatesAt },
    verifying: { key: 'verifyingUntil', at: value.retiresAt },
    retired: { key: 'retiredAt', at: value.retiresAt },
  }[value.state] as {
    readonly key: 'signingUntil' | 'waitingUntil' | 'verifyingUntil' | 'retiredAt';
    readonly at: string | null;
  };
  return (
    <span className={classes.keyState}>
      <Icon {...ICON} className={tone} />
      <span>
        {t(value.state)}
        {at !== null && (
          <span className={`${classes.second} kr-small kr-secondary`}>
            {t(key, { when: formatInstant(at, language) })}
          </span>
        )}
      </span>
    </span>
  );
}

function RetireDialog(props: { readonly value: SigningKey | null; readonly onClose: () => void }) {
  const { value, onClose } = props;
  const { t } = useWords(signingKeysWords);
  const retire = useMutation({
    mutationFn: (kid: string) => retireSigningKey(kid),
    onSuccess: () => notifyDone(say(signingKeysWords, 'retireDone')),
    onError: notifyFailure,
    onSettled: async () => {
      onClose();
      await refreshSigningKeys();
    },
  });
  return (
    <ConfirmDialog
      isOpen={value !== null}
      onClose={onClose}
      title={t('retireTitle')}
      verb={t('retire')}
      isBusy={retire.isPending}
      onConfirm={() => value !== null && retire.mutate(value.kid)}
    >
      {value !== null && (
        <div className={classes.consequences}>
          <Truncate text={value.kid} isMono />
          {value.state === 'waiting' ? (
            <p>{t('retireWaiting')}</p>
          ) : (
            <>
              <p>
                <Rich words={signingKeysWords} k="retireTokens" parts={{ b: <strong /> }} />
              </p>
              {value.state === 'signing' && <p>{t('retireSigning')}</p>}
              <p>{t('retireOffline')}</p>
            </>
          )}
        </div>
      )}
    </ConfirmDialog>
  );
}

function RotateButton({ isWaiting }: { readonly isWaiting: boolean }) {
  const { t } = useWords(signingKeysWords);
  const [isAsking, asking] = useDisclosure();
  const rotate = useMutation({
    mutationFn: rotateSigningKeys,
    onSuccess: () => notifyDone(say(signingKeysWords, 'rotated')),
    onError: notifyFailure,
    onSettled: async () => {
      asking.close();
      await refreshSigningKeys();
    },
  });
  return (
    <div className={classes.line}>
      <ActionButton variant="default" disabled={isWaiting} onClick={asking.open}>
        {t('rotate')}
      </ActionButton>
      {isWaiting && <span className="kr-secondary">{t('isWaiting')}</span>}
      <ConfirmDialog
        isOpen={isAsking}
        onClose={asking.close}
        title={t('rotateTitle')}
        verb={t('rotate')}
        isBusy={rotate.isPending}
        onConfirm={() => rotate.mutate()}
      >
        <div className={classes.consequences}>
          <p>{t('rotateText')}</p>
          <p>{t('rotateBreaks')}</p>
        </div>
      </ConfirmDialog>
    </div>
  );
}

function SigningKeysTable({ items }: { readonly items: readonly SigningKey[] }) {
  const { t } = useWords(signingKeysWords);
  const [leaving, setLeaving] = useState<SigningKey | null>(null);
  const columns: readonly Column<SigningKey>[] = [
    {
      id: 'key',
      header: t('key'),
      narrow: 'title',
      cell: ({ kid, algorithm }) => (
        <>
          {algorithm}
          <Truncate text={kid} isMono className="kr-small kr-secondary" />
        </>
      ),
    },
    { id: 'state', header: t('state'), width: '36%', cell: (value) => <KeyState value={value} /> },
    { id: 'created', header: t('created'), width: '110px', cell: ({ createdAt }) => <Day at={createdAt} /> },
  ];
  return (
    <div className={classes.tableFrame}>
      <Table
        label={t('title')}
        columns={columns}
        rows={items}
        keyOf={({ kid }) => kid}
        isDimmed={({ state }) => state === 'retired'}
        actionsHeader={t('actions')}
        actionsWidth="142px"
        actions={(value) =>
          value.state !== 'retired' && (
            <ActionButton
              size="xs"
              variant="default"
              aria-label={t('retireOf', { kid: value.kid })}
              onClick={() => setLeaving(value)}
            >
              {t('retire')}
            </ActionButton>
          )
        }
      />
      <RetireDialog value={leaving} onClose={() => setLeaving(null)} />
    </div>
  );
}

/** The keys that sign tokens: how often they change, which there are, and the two things to do with them. */
export function SigningKeysSection({ form }: { readonly form: SettingsForm }) {
  const { t, language } = useWords(signingKeysWords);
  const { data, error, refetch } = useQuery(signingKeysQuery);
  return (
    <Section title={t('title')} text={t('text')}>
      <NumberField
        label={t('days')}
        hint={t('daysHint')}
        value={form.current.signingKeyDays}
        onChange={(days) => form.set('signingKeyDays', days)}
        isChanged={form.isChanged('signingKeyDays')}
        was={formatDays(form.saved.signingKeyDays, language)}
        fault={form.faultOf('signingKeyDays')}
        unit={<span>{t('daysUnit')}</span>}
      />
      {data === undefined &&
        (error === null ? (
          <SkeletonRows rows={2} />
        ) : (
          <LoadFailed error={error} onRetry={() => void refetch()} />
        ))}
      {data !== undefined && data.length > 0 && <SigningKeysTable items={data} />}
      {data !== undefined && <RotateButton isWaiting={data.some(({ state }) => state === 'waiting')} />}
    </Section>
  );
}
