import { defineErrors } from '../../errors/index.ts';

export const workspaceErrors = defineErrors('workspace', {
  subdomain_taken: {
    status: 409,
    title: 'The host name is taken',
    remedy: 'Choose another subdomain or alias; host names are unique in an installation.',
  },
  no_base_domain: {
    status: 400,
    title: 'There is no base domain',
    remedy: 'Set KEYREEVE_BASE_DOMAIN, or name at least one alias host for the workspace.',
  },
});
