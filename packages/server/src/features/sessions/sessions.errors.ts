import { defineErrors } from '../../errors/index.ts';

export const sessionErrors = defineErrors('session', {
  wrong_credentials: {
    status: 401,
    title: 'E-mail or password is wrong',
    remedy:
      'Check both and try again, or ask for a link to set a new password. For safety the answer is the same whether or not the address has an account.',
  },
  account_disabled: {
    status: 401,
    title: 'The account is disabled',
    remedy: 'The password is right, but the account is disabled. Ask an administrator to enable it.',
  },
  throttled: {
    status: 429,
    title: 'Too many failed tries',
    remedy:
      'Wait for the time in `Retry-After`, then try again. The pause grows with each failure and ends with a success.',
  },
  wrong_current_password: {
    status: 403,
    title: 'The current password is wrong',
    remedy:
      'Type the password that you sign in with now. If it is lost, sign out and ask for a link to set a new one.',
  },
  link_unusable: {
    status: 404,
    title: 'The link cannot be used',
    remedy:
      'It was used already, has expired, or was not copied whole. Ask for a new one: a link to set a password on the sign-in page, an invitation from an administrator.',
  },
});

export const setupErrors = defineErrors('setup', {
  already_done: {
    status: 410,
    title: 'The workspace is set up already',
    remedy:
      'Sign in, or ask an administrator of the workspace for an invitation. The setup code works only while there is no administrator.',
  },
  wrong_code: {
    status: 403,
    title: 'The setup code is wrong',
    remedy:
      'Copy the code that the server printed at its first start, or that came with the creation of the workspace.',
  },
});
