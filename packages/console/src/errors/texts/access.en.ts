import type { ErrorText } from '../error-text.ts';

/** People, sign-in and the workspace. */
export const ACCESS_TEXTS_EN = {
  'account.grant_exceeds_own': {
    title: 'You cannot hand out a right that you lack.',
    remedy: 'Grant only actions and resources that you hold yourself, or ask an administrator.',
  },
  'account.last_admin': {
    title: 'This is the last active administrator.',
    remedy: 'Make another active user an administrator first.',
  },
  'account.login_taken': {
    title: 'The name is taken.',
    remedy: 'Another account of the workspace has this e-mail address or technical name; choose another one.',
  },
  'account.not_for_kind': {
    title: 'This kind of account has no such field.',
    remedy: 'Leave the field empty.',
  },
  'account.owns_packages': {
    title: 'The account is the sole owner of packages.',
    remedy: 'Give each of these packages another owner first.',
  },
  'account.password_weak': {
    title: 'The password is too easy to guess.',
    remedy:
      'Use at least 12 characters and none of the widely known passwords. Length is what counts; no kind of character is required.',
  },
  'account.unknown_manager': {
    title: 'A manager is not an active user of this workspace.',
    remedy: 'Choose active users as managers.',
  },
  'auth.account_disabled': {
    title: 'The account of this key is disabled.',
    remedy: 'Ask an administrator to enable the account.',
  },
  'auth.ambiguous_credentials': {
    title: 'Two different credentials were sent.',
    remedy: 'Send one credential in one header.',
  },
  'auth.cross_site': {
    title: 'A request from another site was refused.',
    remedy: 'Open the console at its own address and try again there.',
  },
  'auth.forbidden': {
    title: 'You may not do this.',
    remedy: 'Ask an administrator of the workspace.',
  },
  'auth.insufficient_scope': {
    title: 'The credential does not permit this.',
    remedy: 'Use a key whose scopes, and an account whose grants, contain the action.',
  },
  'auth.invalid_credential': {
    title: 'The credential is not valid.',
    remedy:
      'Check that the whole key was copied, and that it was not deleted, disabled, regenerated or expired.',
  },
  'auth.ip_not_allowed': {
    title: 'The key may not be used from this address.',
    remedy: 'Use the key from one of the addresses in its IP allow list, or have the list changed.',
  },
  'auth.key_disabled': {
    title: 'The key is disabled.',
    remedy: 'Ask the person who disabled it, or an administrator, to enable it again.',
  },
  'auth.key_expired': {
    title: 'The key has expired.',
    remedy: 'Regenerate the key; its id, comment and scopes stay the same.',
  },
  'auth.kind_not_accepted': {
    title: 'This kind of credential is not accepted here.',
    remedy: 'Sign in to the console with e-mail and password, and try again there.',
  },
  'auth.other_account': {
    title: 'Somebody else is signed in now.',
    remedy: 'Nothing was done. Load the page again, or sign in again as the person for whom it was shown.',
  },
  'auth.required': {
    title: 'You are not signed in.',
    remedy: 'Sign in to the console and try again.',
  },
  'auth.session_ended': {
    title: 'Your session has ended.',
    remedy: 'Sign in again.',
  },
  'mailbox.not_kept': {
    title: 'The mail is not kept here any more.',
    remedy: 'The text of a mail is wiped when it has been sent or given up.',
  },
  'oauth.invalid_authorization_details': {
    title: 'The details that a program asked for go beyond its key.',
    remedy: 'Ask only for actions and resources that the key holds.',
  },
  'oauth.invalid_client': {
    title: 'The program could not prove which key it holds.',
    remedy: 'Send the API key as client id and its secret key as client secret.',
  },
  'oauth.invalid_request': {
    title: 'The request for a token cannot be read.',
    remedy: 'Correct the parameter that is named, and send each parameter once.',
  },
  'oauth.invalid_scope': {
    title: 'The key does not hold what was asked for.',
    remedy: 'Ask only for actions that the key holds, with single spaces between them.',
  },
  'oauth.invalid_target': {
    title: 'There are no tokens for this resource.',
    remedy: 'Ask for one of the resources in the workspace settings, or for none.',
  },
  'oauth.invalid_token': {
    title: 'The credential of the one who asks is not valid.',
    remedy: 'Use a key or token that works.',
  },
  'oauth.unsupported_grant_type': {
    title: 'Tokens are not given out in this way.',
    remedy: 'Use the client credentials of a key, or exchange a token.',
  },
  'oauth.unsupported_token_type': {
    title: 'A key cannot be ended like a token.',
    remedy: 'Disable or delete the key in the console.',
  },
  'session.account_disabled': {
    title: 'The account is disabled.',
    remedy: 'The password is right. Ask an administrator to enable the account.',
  },
  'session.link_unusable': {
    title: 'The link cannot be used.',
    remedy:
      'It was used already, has expired, or was not copied whole. Ask for a new one: a link to set a password on the sign-in page, an invitation from an administrator.',
  },
  'session.throttled': {
    title: 'There were too many failed tries.',
    remedy: 'Wait a moment, then try again. The pause grows with each failure and ends with a success.',
  },
  'session.wrong_credentials': {
    title: 'E-mail or password is wrong.',
    remedy: 'Check both and try again, or ask for a link to set a new password.',
  },
  'session.wrong_current_password': {
    title: 'The current password is wrong.',
    remedy:
      'Type the password that you sign in with now. If it is lost, sign out and ask for a link to set a new one.',
  },
  'settings.contradiction': {
    title: 'The settings contradict each other.',
    remedy: 'Change the named settings together.',
  },
  'settings.smtp_required': {
    title: 'Mails with the secret key need an SMTP server.',
    remedy:
      'Set KEYREEVE_SMTP_URL first, or keep the one-time link: without SMTP, mails stay in the local mailbox, where administrators could read the secret.',
  },
  'setup.already_done': {
    title: 'The workspace is set up already.',
    remedy: 'Sign in, or ask an administrator of the workspace for an invitation.',
  },
  'setup.wrong_code': {
    title: 'The setup code is wrong.',
    remedy:
      'Copy the code that the server printed at its first start, or that came with the creation of the workspace.',
  },
  'signing_key.already_retired': {
    title: 'The signing key is retired already.',
    remedy: 'Nothing needs to be done. It signs nothing, and no token of it is accepted.',
  },
  'signing_key.successor_waiting': {
    title: 'A successor is waiting already.',
    remedy: 'Wait until it signs. To stop the present key at once, retire it.',
  },
  'token.chain_too_long': {
    title: 'The token was exchanged too often.',
    remedy: 'Exchange one of the tokens that it came from.',
  },
  'token.resource_not_allowed': {
    title: 'Tokens for this resource are not allowed.',
    remedy: 'Ask for one of the resources in the workspace settings, or for none.',
  },
  'token.too_long': {
    title: 'The token would be too long.',
    remedy: 'Ask for fewer actions or resources.',
  },
  'webhook.delivery_pending': {
    title: 'The delivery is still under way.',
    remedy: 'It is sent without being asked. Wait until it has ended.',
  },
  'webhook.disabled': {
    title: 'The webhook is disabled.',
    remedy: 'Enable it first. Nothing was sent.',
  },
  'webhook.too_many': {
    title: 'The workspace has too many webhooks.',
    remedy: 'Delete a webhook that is no longer used. A workspace has at most 20.',
  },
  'workspace.no_base_domain': {
    title: 'There is no base domain.',
    remedy: 'Set KEYREEVE_BASE_DOMAIN, or name at least one alias host for the workspace.',
  },
  'workspace.subdomain_taken': {
    title: 'The host name is taken.',
    remedy: 'Choose another subdomain or alias; host names are unique in an installation.',
  },
} as const satisfies Record<string, ErrorText>;
