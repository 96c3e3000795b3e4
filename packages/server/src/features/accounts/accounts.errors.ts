import { defineErrors } from '../../errors/index.ts';

export const accountErrors = defineErrors('account', {
  login_taken: {
    status: 409,
    title: 'The name is taken',
    remedy: 'Another account of the workspace has this e-mail address or technical name; choose another one.',
  },
  last_admin: {
    status: 409,
    title: 'The last active administrator',
    remedy: 'Make another active user an administrator first.',
  },
  owns_packages: {
    status: 409,
    title: 'The account is the sole owner of packages',
    remedy: 'Give each package in `packages` another owner first.',
  },
  unknown_manager: {
    status: 400,
    title: 'A manager is not a user of this workspace',
    remedy: 'Name the ids of active users as managers.',
  },
  grant_exceeds_own: {
    status: 403,
    title: 'You cannot hand out a right that you lack',
    remedy: 'Grant only actions and resources that your own credential holds, or ask an administrator.',
  },
  not_for_kind: {
    status: 400,
    title: 'The field does not exist for this kind of account',
    remedy: 'Leave the field out.',
  },
  password_weak: {
    status: 400,
    title: 'The password is too easy to guess',
    remedy:
      'Use at least 12 characters and none of the widely known passwords. Length is what counts; no kind of character is required.',
  },
});
