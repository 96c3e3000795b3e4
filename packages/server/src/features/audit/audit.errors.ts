import { defineErrors } from '../../errors/index.ts';

export const auditErrors = defineErrors('audit', {
  not_chained: {
    status: 409,
    title: 'The audit log is not chained yet',
    remedy: 'It is chained since the last upgrade. Try again in some minutes.',
  },
});
