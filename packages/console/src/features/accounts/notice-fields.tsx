import type { User } from '@keyreeve/sdk';
import { Checkbox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useIsAdmin } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { asFieldError } from '../../ui/field-error.tsx';
import { TimeZoneField, ZoneNow } from '../../ui/time-zone-field.tsx';
import { settingsQuery } from '../settings/settings-queries.ts';
import classes from './forms.module.css';
import { noticeFieldsWords } from './notice-fields.words.ts';

type MutedNotices = User['mutedNotices'];

/** What may be muted, and by which word. In the order of the API, so that an unchanged choice is the same list. */
const MUTABLE = [
  ['key.expiring', 'expiring'],
  ['key.expired', 'expired'],
] as const satisfies readonly (readonly [MutedNotices[number], string])[];

/** Whose clock the mails tell: the account's own or, as long as it has chosen none, that of the workspace. */
export function AccountTimeZoneField(props: {
  readonly value: string | null;
  readonly onChange: (zone: string | null) => void;
  readonly error: string | null;
}) {
  const { t } = useWords(noticeFieldsWords);
  const { t: tAccount } = useWords(accountWords);
  // Only administrators may read the settings.
  const { data } = useQuery({ ...settingsQuery, enabled: useIsAdmin() });
  const ofWorkspace = data?.settings.defaultTimeZone;
  const zone = props.value ?? ofWorkspace;
  return (
    <div>
      <TimeZoneField {...props} label={tAccount('timeZone')} workspace={ofWorkspace ?? true} />
      <p className={classes.hint}>
        {t('zoneHint')} {zone !== undefined && <ZoneNow zone={zone} />}
      </p>
    </div>
  );
}

/** Which mails the account wants; ticked is wanted, and what is not may be muted. */
export function MutedNoticesField(props: {
  readonly value: MutedNotices;
  readonly onChange: (muted: MutedNotices) => void;
  readonly error: string | null;
  /** Whose choice it is alone: the reader only sees it. */
  readonly isReadOnly?: boolean;
}) {
  const { value, isReadOnly = false } = props;
  const { t } = useWords(noticeFieldsWords);
  const choose = (wanted: readonly string[]) =>
    props.onChange(MUTABLE.map(([kind]) => kind).filter((kind) => !wanted.includes(kind)));
  return (
    <Checkbox.Group
      label={t('wanted')}
      description={isReadOnly ? t('ownChoice') : t('security')}
      error={asFieldError(props.error)}
      value={MUTABLE.map(([kind]) => kind).filter((kind) => !value.includes(kind))}
      onChange={choose}
    >
      <div className={classes.checks}>
        {MUTABLE.map(([kind, word]) => (
          <Checkbox key={kind} value={kind} label={t(word)} disabled={isReadOnly} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
