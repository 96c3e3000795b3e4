import { defineErrors } from '../../errors/index.ts';

export const noticeErrors = defineErrors('mailbox', {
  not_kept: {
    status: 409,
    title: 'The mail is not kept in the local mailbox',
    remedy:
      'Only mails in the state `mailbox` can be opened here. What a mail said is wiped when it has been sent or given up.',
  },
});
