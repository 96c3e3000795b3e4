import { defineErrors } from '../../errors/index.ts';

export const settingsErrors = defineErrors('settings', {
  contradiction: {
    status: 400,
    title: 'The settings contradict each other',
    remedy: 'Change the named settings together, in one request.',
  },
  smtp_required: {
    status: 400,
    title: 'Mails with the secret key need an SMTP server',
    remedy:
      'Set KEYREEVE_SMTP_URL first, or keep `keyMail` at `link`: without SMTP, mails stay in the local mailbox, where administrators could read the secret.',
  },
});
