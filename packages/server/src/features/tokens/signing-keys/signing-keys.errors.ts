import { defineErrors } from '../../../errors/index.ts';

export const signingKeyErrors = defineErrors('signing_key', {
  already_retired: {
    status: 409,
    title: 'The signing key is retired already',
    remedy: 'Nothing needs to be done: it signs nothing, and no token of it is accepted.',
  },
  successor_waiting: {
    status: 409,
    title: 'A successor is published and waits already',
    remedy:
      'Wait until it signs. To stop the present key at once, retire it: the waiting key then takes over.',
  },
});
