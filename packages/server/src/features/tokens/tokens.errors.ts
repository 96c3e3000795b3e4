import { defineErrors } from '../../errors/index.ts';

export const tokenErrors = defineErrors('token', {
  resource_not_allowed: {
    status: 400,
    title: 'Tokens for this resource are not allowed',
    remedy: 'Ask for one of the workspace setting `tokenResources`, or leave `resource` out.',
  },
});
