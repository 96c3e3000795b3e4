import type { Permission } from '@keyreeve/sdk';
import { Checkbox, Radio } from '@mantine/core';
import { useId } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { FieldError } from '../../ui/field-error.tsx';
import { grantedResources } from './account-grants.ts';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';
import type { PushAction } from './create-key-draft.ts';
import type { FieldProps } from './use-create-key.ts';

const KINDS = [
  { action: 'package:push', word: 'pushBoth' },
  { action: 'package:pushnew', word: 'pushNew' },
  { action: 'package:pushversion', word: 'pushVersion' },
] as const satisfies readonly { action: PushAction; word: string }[];

function isPushAction(text: string): text is PushAction {
  return KINDS.some(({ action }) => action === text);
}

/** Push, with its three kinds that exclude each other, and Unlist; what the account is not granted is off. */
export function PermissionsField({
  form,
  wordOf,
  grants,
}: FieldProps & { readonly grants: readonly Permission[] }) {
  const { t } = useWords(createKeyWords);
  const titleId = useId();
  const faultId = useId();
  const { push, mayUnlist } = form.draft;
  const fault = wordOf('permissions');
  const isGranted = (action: string) => grantedResources(grants, action).length > 0;
  const firstKind = KINDS.find(({ action }) => isGranted(action))?.action ?? null;
  const invalid = { 'aria-invalid': fault !== null, 'aria-describedby': faultId };
  return (
    <div role="group" aria-labelledby={titleId}>
      <p id={titleId} className={classes.title}>
        {t('permissions')}
      </p>
      <div className={classes.box} data-faulty={fault === null ? undefined : true}>
        <div className={classes.permission}>
          <Checkbox
            label={t('push')}
            checked={push !== null}
            disabled={firstKind === null}
            onChange={(event) => form.change({ push: event.currentTarget.checked ? firstKind : null })}
            {...invalid}
          />
          {firstKind === null && <span className="kr-small kr-dimmed">{t('notGranted')}</span>}
        </div>
        {push !== null && (
          <Radio.Group
            aria-label={t('pushKind')}
            value={push}
            onChange={(value) => isPushAction(value) && form.change({ push: value })}
          >
            {KINDS.map(({ action, word }) => (
              <div key={action} className={classes.kind}>
                <Radio value={action} label={t(word)} disabled={!isGranted(action)} />
                <span className={classes.name}>{action}</span>
              </div>
            ))}
          </Radio.Group>
        )}
        <div className={`${classes.permission} ${classes.rule}`}>
          <Checkbox
            label={t('unlist')}
            checked={mayUnlist}
            disabled={!isGranted('package:unlist')}
            onChange={(event) => form.change({ mayUnlist: event.currentTarget.checked })}
          />
          {isGranted('package:unlist') ? (
            <span className={classes.name}>package:unlist</span>
          ) : (
            <span className="kr-small kr-dimmed">{t('notGranted')}</span>
          )}
        </div>
      </div>
      <div id={faultId} className={fault === null ? '' : classes.fault}>
        {fault !== null && <FieldError>{fault}</FieldError>}
      </div>
    </div>
  );
}
