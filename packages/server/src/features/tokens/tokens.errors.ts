import { defineErrors } from '../../errors/index.ts';

export const tokenErrors = defineErrors('token', {
  resource_not_allowed: {
    status: 400,
    title: 'Tokens for this resource are not allowed',
    remedy: 'Ask for one of the workspace setting `tokenResources`, or leave `resource` out.',
  },
  too_long: {
    status: 400,
    title: 'The token would be too long',
    remedy: 'Ask for fewer actions or identifiers: a token has at most 4,096 characters.',
  },
  chain_too_long: {
    status: 400,
    title: 'The token was exchanged too often',
    remedy: 'Exchange one of the tokens that it came from: at most 8 exchanges may follow one another.',
  },
});
