import { IconCircleCheck, IconCircleMinus, IconCircleX } from '@tabler/icons-react';
import { useWords } from '../../i18n/words.tsx';
import classes from './webhooks.module.css';
import { webhooksWords } from './webhooks.words.ts';
import type { Webhook } from './webhooks-queries.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

/** True for one that works no more though nobody has said so. */
export function isStopped({ state, disabledReason }: Webhook): boolean {
  return state === 'disabled' && disabledReason !== null && disabledReason !== 'manual';
}

/** Active, or disabled and by whom. */
export function WebhookState({ value }: { readonly value: Webhook }) {
  const { t } = useWords(webhooksWords);
  const isActive = value.state === 'active';
  const Icon = isActive ? IconCircleCheck : isStopped(value) ? IconCircleX : IconCircleMinus;
  const tone = isActive ? 'kr-green' : isStopped(value) ? 'kr-red' : 'kr-dimmed';
  return (
    <span className={classes.state}>
      <Icon {...ICON} className={tone} />
      <span className={classes.stateWords}>
        {t(value.state)}
        {value.disabledReason !== null && (
          <span className={`${classes.second} kr-small kr-secondary`}>{t(value.disabledReason)}</span>
        )}
      </span>
    </span>
  );
}
