import type { BodyOf, Key } from '@keyreeve/sdk';
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { isOutcomeUnknown } from '../../errors/describe-error.ts';
import { DAY_MS, formatInstant } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import { uiWords } from '../../ui/ui.words.ts';
import { useIsMounted } from '../../ui/use-is-mounted.ts';
import { useNow } from '../../ui/use-now.ts';
import { Fault } from './dialog-fault.tsx';
import { refreshKeys, regenerateKey } from './key-calls.ts';
import classes from './key-dialogs.module.css';
import { keyDialogsWords } from './key-dialogs.words.ts';
import { isWorking } from './key-facts.ts';
import type { KeyDialogProps } from './key-request.ts';
import { KeyResult } from './key-result.tsx';
import { OverlapChoice } from './overlap-choice.tsx';
import { RegenerateExpiry } from './regenerate-expiry.tsx';
import { RegenerateMail, useRegenerateMail } from './regenerate-mail.tsx';
import type { SealedKey } from './secret-box.ts';

const RECENT_MS = 7 * DAY_MS;

/** Programs that called in the last days get a day to change over; nobody else needs the old secret. */
function proposeOverlapHours(value: Key, now: number): number {
  const isUsed = value.lastUsedAt !== null && now - Date.parse(value.lastUsedAt) < RECENT_MS;
  return isWorking(value) && isUsed ? 24 : 0;
}

function useRegenerate(keyId: string, onSealed: (sealed: SealedKey) => void) {
  const isMounted = useIsMounted();
  return useMutation({
    mutationFn: (body: BodyOf<'regenerateKey'>) => regenerateKey(keyId, body),
    onSuccess: async (sealed) => {
      // Nobody is left who could copy it: the page was left while the answer was on its way.
      if (isMounted.current) onSealed(sealed);
      else sealed.box.wipe();
      await refreshKeys();
    },
    onError: (error) => {
      if (isOutcomeUnknown(error)) void refreshKeys();
    },
  });
}

/** A new secret for the same key: how long the old one stays, and until when the key lives then. */
export function RegenerateKeyDialog({ value, isOpen, onClose, onMinted }: KeyDialogProps) {
  const { t, language } = useWords(keyDialogsWords);
  const ui = useWords(uiWords);
  const now = useNow();
  const labelId = useId();
  const [overlapHours, setOverlapHours] = useState(() => proposeOverlapHours(value, now));
  const [minted, setMinted] = useState<SealedKey | null>(null);
  const mail = useRegenerateMail(value, isOpen);
  const regenerate = useRegenerate(value.id, (sealed) => {
    if (onMinted === undefined) setMinted(sealed);
    else {
      onMinted(sealed.key, sealed.box);
      onClose();
    }
  });
  // Closed meanwhile, it would have no place for the secret that is being made.
  const close = () => {
    if (!regenerate.isPending) onClose();
  };
  const faults = readFaults(regenerate.error, language, ['mailTo']);
  const text = value.status === 'expired' ? t('regenerateExpired') : t('regenerateText');
  const oldEndsAt = minted?.key.overlapEndsAt ?? null;
  return (
    <>
      <Dialog
        isOpen={isOpen && minted === null}
        onClose={close}
        title={t('regenerateTitle', { name: value.comment })}
        actions={
          <>
            <Button variant="default" disabled={regenerate.isPending} onClick={close}>
              {ui.t('cancel')}
            </Button>
            <ActionButton
              loading={regenerate.isPending}
              onClick={() => {
                if (mail.check()) regenerate.mutate({ overlapHours, ...mail.body });
              }}
            >
              {t('regenerate')}
            </ActionButton>
          </>
        }
      >
        <Fault error={faults.rest === null ? null : regenerate.error} isMinting />
        <p className={classes.text}>{text}</p>
        {value.status === 'disabled' && <p className={classes.hint}>{t('regenerateDisabled')}</p>}
        {isWorking(value) && (
          <OverlapChoice value={value} labelId={labelId} hours={overlapHours} onChange={setOverlapHours} />
        )}
        <RegenerateExpiry value={value} />
        <RegenerateMail mail={mail} serverFault={faults.of('mailTo')} />
      </Dialog>
      <KeyResult
        minted={minted}
        title={t('regenerated')}
        note={
          oldEndsAt === null
            ? t('oldStopped')
            : t('oldUntil', { instant: formatInstant(oldEndsAt, language) })
        }
        onClose={() => {
          setMinted(null);
          onClose();
        }}
      />
    </>
  );
}
