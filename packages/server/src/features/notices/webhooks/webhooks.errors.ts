import { defineErrors } from '../../../errors/index.ts';

export const webhookErrors = defineErrors('webhook', {
  too_many: {
    status: 409,
    title: 'The workspace has too many webhooks',
    remedy: 'Delete a webhook that is no longer used: a workspace has at most 20.',
  },
  disabled: {
    status: 409,
    title: 'The webhook is disabled',
    remedy: 'Set its `state` to `active` first. Nothing was sent.',
  },
  delivery_pending: {
    status: 409,
    title: 'The delivery is still under way',
    remedy: 'It is sent without being asked, at the latest at its `nextAttemptAt`.',
  },
});
