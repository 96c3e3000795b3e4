import { defineErrors } from '../../errors/index.ts';

export const keyErrors = defineErrors('key', {
  scope_required: {
    status: 400,
    title: 'A scoped key needs scopes',
    remedy:
      'Name at least one scope with at least one action and one resource pattern, or ask for `access: "account"`.',
  },
  scopes_not_allowed: {
    status: 400,
    title: 'This key takes no scopes',
    remedy: 'Leave `scopes` out, or ask for `access: "scoped"`.',
  },
  scope_exceeds_account: {
    status: 400,
    title: 'The scopes exceed the grants of the account',
    remedy: 'Ask for less, or have an administrator widen the grants of the account first.',
  },
  scope_exceeds_caller: {
    status: 403,
    title: 'You cannot hand out a right that you lack',
    remedy: 'A key cannot make or renew a key that may do more than itself; use a console session.',
  },
  limits_exceed_caller: {
    status: 403,
    title: 'A limited key makes no keys and loosens no limits',
    remedy:
      'The key that you present has limits of its own: it neither makes nor renews other keys, and begins no new count. Use a console session, or a key without limits.',
  },
  lifetime_not_allowed: {
    status: 400,
    title: 'The lifetime is not allowed',
    remedy: 'Choose one of the lifetimes named in the message.',
  },
  too_many: {
    status: 409,
    title: 'The account has too many keys',
    remedy: 'Delete keys that are no longer used, or have the limit `maxKeysPerAccount` raised.',
  },
  field_immutable: {
    status: 400,
    title: 'The field cannot be changed',
    remedy:
      'Account, owner, access, actions and lifetime are fixed when a key is made. Create another key instead.',
  },
  owner_not_allowed: {
    status: 400,
    title: 'The key cannot act for this owner',
    remedy: 'A key acts for its own account, or for a service account that its account manages.',
  },
  not_regenerable: {
    status: 409,
    title: 'This key cannot be regenerated',
    remedy: 'Imported keys have no secret of ours. Create a scoped key that takes its place.',
  },
  overlap_not_allowed: {
    status: 400,
    title: 'The old secret cannot be kept',
    remedy: 'An overlap is for active keys only; ask for `overlapHours: 0`, or enable the key first.',
  },
  no_overlap: {
    status: 409,
    title: 'There is no old secret to end',
    remedy: 'Nothing has to be done: only the newest secret works.',
  },
  account_disabled: {
    status: 409,
    title: 'The account is disabled',
    remedy: 'Enable the account first.',
  },
  mail_address_missing: {
    status: 400,
    title: 'There is no address to send the key to',
    remedy:
      'Name an address in `mailTo`, store one in the service account, or leave `sendMail` out. No key was made.',
  },
  mail_address_not_allowed: {
    status: 400,
    title: 'The key cannot be sent to this address',
    remedy: 'The key of a user goes to the address of that user only; leave `mailTo` out.',
  },
  mail_value_needs_smtp: {
    status: 409,
    title: 'Mails with the secret key need an SMTP server',
    remedy: 'Set KEYREEVE_SMTP_URL, or set `keyMail` to `link`. No key was made.',
  },
  mail_limit: {
    status: 429,
    title: 'Too many mails with a key to one address',
    remedy:
      'At most 20 mails with a key go to one address in an hour. Wait for the time in `Retry-After`, or leave `sendMail` and `mailTo` out. No key was made.',
  },
  link_unusable: {
    status: 404,
    title: 'The link cannot be used',
    remedy: 'It was opened before, has expired, or never existed. Regenerate the key to get a new secret.',
  },
  altered: {
    status: 409,
    title: 'The stored key was altered outside Keyreeve',
    remedy:
      'Somebody wrote to the database directly. The key is refused everywhere; find out who did it, then delete the key or restore a backup.',
  },
  write_not_permitted: {
    status: 403,
    title: 'The credential may read this key, but not change it',
    remedy: 'Use a console session, or a key whose scopes name `iam:keys:write` for this account.',
  },
  import_faulty: {
    status: 400,
    title: 'The import has faults',
    remedy: 'Nothing was imported. Mend the rows listed in `errors` and send the batch again.',
  },
});
