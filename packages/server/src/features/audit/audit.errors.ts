import { defineErrors } from '../../errors/index.ts';

export const auditErrors = defineErrors('audit', {
  not_chained: {
    status: 409,
    title: 'The audit log is not chained yet',
    remedy:
      'Rows of an older release are being chained since the upgrade. Try again in some minutes; if it goes on, look for "a job failed" in the log of the server.',
  },
});
