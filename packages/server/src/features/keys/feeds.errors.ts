import { defineErrors } from '../../errors/index.ts';

export const feedErrors = defineErrors('feed', {
  too_many_links: {
    status: 409,
    title: 'The account has too many feed links',
    remedy: 'Delete a link that no program reads any more. The list shows when each was last used.',
  },
});
