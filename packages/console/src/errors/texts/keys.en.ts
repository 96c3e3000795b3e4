import type { ErrorText } from '../error-text.ts';

/** Keys, and the answers to the question whether a key is good. */
export const KEY_TEXTS_EN = {
  'feed.too_many_links': {
    title: 'You have too many feed links.',
    remedy: 'Delete a link that no program reads any more. The list shows when each was last used.',
  },
  'key.account_disabled': {
    title: 'The account is disabled.',
    remedy: 'Enable the account first.',
  },
  'key.altered': {
    title: 'The stored key was altered outside Keyreeve.',
    remedy:
      'Somebody wrote to the database directly. The key is refused everywhere; find out who did it, then delete the key or restore a backup.',
  },
  'key.field_immutable': {
    title: 'This cannot be changed.',
    remedy:
      'Account, owner, access, actions and lifetime are fixed when a key is made. Create another key instead.',
  },
  'key.import_faulty': {
    title: 'The import has faults.',
    remedy: 'Nothing was imported. Mend the listed rows and import the file again.',
  },
  'key.lifetime_not_allowed': {
    title: 'The lifetime is not allowed.',
    remedy: 'Choose one of the offered lifetimes.',
  },
  'key.link_unusable': {
    title: 'The link cannot be used.',
    remedy: 'It was opened before, has expired, or never existed. Regenerate the key to get a new secret.',
  },
  'key.mail_address_missing': {
    title: 'There is no address to send the key to.',
    remedy:
      'Type an address, store one in the service account, or create the key without a mail. No key was made.',
  },
  'key.mail_address_not_allowed': {
    title: 'The key cannot be sent to this address.',
    remedy: 'The key of a user goes to the address of that user only; leave the address empty.',
  },
  'key.mail_limit': {
    title: 'Too many mails with a key went to one address.',
    remedy:
      'At most 20 mails with a key go to one address in an hour. Wait a while, or create the key without a mail. No key was made.',
  },
  'key.mail_value_needs_smtp': {
    title: 'Mails with the secret key need an SMTP server.',
    remedy: 'Set KEYREEVE_SMTP_URL, or send keys as a one-time link. No key was made.',
  },
  'key.no_overlap': {
    title: 'There is no old secret to end.',
    remedy: 'Nothing has to be done: only the newest secret works.',
  },
  'key.not_regenerable': {
    title: 'This key cannot be regenerated.',
    remedy: 'Its secret was made elsewhere and imported. Create a scoped key that takes its place.',
  },
  'key.overlap_not_allowed': {
    title: 'The old secret cannot be kept.',
    remedy: 'Only an active key can keep it. Let the old secret stop now, or enable the key first.',
  },
  'key.owner_not_allowed': {
    title: 'The key cannot act for this owner.',
    remedy: 'A key acts for its own account, or for a service account that its account manages.',
  },
  'key.scope_exceeds_account': {
    title: 'The scopes exceed the grants of the account.',
    remedy: 'Ask for less, or have an administrator widen the grants of the account first.',
  },
  'key.limits_exceed_caller': {
    title: 'A key with limits makes no keys and loosens no limits.',
    remedy: 'Sign in to the console and do it there, or use a key without limits.',
  },
  'key.scope_exceeds_caller': {
    title: 'You cannot hand out a right that you lack.',
    remedy:
      'A key cannot make or renew a key that may do more than itself. Sign in to the console and do it there.',
  },
  'key.scope_required': {
    title: 'A scoped key needs scopes.',
    remedy: 'Choose at least one action and one pattern, or give the key all rights of the account.',
  },
  'key.scopes_not_allowed': {
    title: 'This key takes no scopes.',
    remedy: 'Leave actions and patterns out, or make it a scoped key.',
  },
  'key.too_many': {
    title: 'The account has too many keys.',
    remedy: 'Delete keys that are no longer used, or have the limit raised in the settings.',
  },
  'key.write_not_permitted': {
    title: 'The credential may read this key, but not change it.',
    remedy: 'Sign in to the console and change the key there.',
  },
  valid: {
    title: 'The key is good.',
    remedy: 'Nothing has to be done.',
  },
  malformed: {
    title: 'This is not a key, or it was copied with a mistake.',
    remedy: 'Copy the whole key again; its checksum does not fit.',
  },
  not_found: {
    title: 'There is no such key, or its secret is wrong.',
    remedy: 'Check that the key was not deleted, and that the secret is not one from before a regeneration.',
  },
  expired: {
    title: 'The key has expired.',
    remedy: 'Regenerate the key; its id, comment and scopes stay the same.',
  },
  disabled: {
    title: 'The key is disabled.',
    remedy: 'Enable the key again, if it is to be used.',
  },
  account_disabled: {
    title: 'The account of this key is disabled.',
    remedy: 'Ask an administrator to enable the account.',
  },
  insufficient_scope: {
    title: 'The key does not permit this.',
    remedy: 'Use a key whose scopes, and an account whose grants, cover the action and the resource.',
  },
  ip_not_allowed: {
    title: 'The key may not be used from this address.',
    remedy: 'Use the key from one of the addresses in its IP allow list, or have the list changed.',
  },
  rate_limited: {
    title: 'The key was used too often in a short time.',
    remedy: 'Wait a moment, then try again.',
  },
  quota_exceeded: {
    title: 'The quota of the key is used up.',
    remedy: 'Wait until it is refilled, or have the quota of the key or of its account raised.',
  },
  'limit.rate_limited': {
    title: 'The key is used too often.',
    remedy: 'Wait a moment, then go on more slowly, or have the limit of the key or of its account raised.',
  },
  'limit.quota_exceeded': {
    title: 'The quota of the key is used up.',
    remedy: 'Wait until it is refilled, or have the quota of the key or of its account raised.',
  },
} as const satisfies Record<string, ErrorText>;
