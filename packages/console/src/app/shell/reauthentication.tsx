import { Alert, Button, PasswordInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { plainApi } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { endWaiting, useIsSessionEnded } from '../../api/reauthentication.ts';
import { sessionQuery, useSession } from '../../api/session.ts';
import { sayFault } from '../../errors/describe-error.ts';
import { useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { UnsavedQuestion } from '../../ui/unsaved-question.tsx';
import { leaveFor } from '../../ui/use-leave-blocker.ts';
import { shellWords } from './shell.words.ts';

/**
 * When the session has ended under the page: asks for the password over whatever is open, and the refused calls
 * go on. Only the same person may go on; somebody else starts with an empty page.
 */
export function Reauthentication() {
  const { t, language } = useWords(shellWords);
  const isEnded = useIsSessionEnded();
  const { account } = useSession();
  const formId = useId();
  const [password, setPassword] = useState('');
  const [isAsking, setAsking] = useState(false);
  const signIn = useMutation({
    mutationFn: () => plainApi.POST('/v1/session', { body: { email: account.email, password } }),
    onSuccess: () => {
      setPassword('');
      endWaiting();
      void queryClient.invalidateQueries(sessionQuery);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <>
      <Dialog
        isOpen={isEnded}
        onClose={null}
        title={t('againTitle')}
        aside={
          <Button variant="subtle" color="gray" onClick={() => setAsking(true)}>
            {t('againOther')}
          </Button>
        }
        actions={
          <Button type="submit" form={formId} loading={signIn.isPending}>
            {t('signIn')}
          </Button>
        }
      >
        <form id={formId} onSubmit={submit}>
          <p>{t('againText')}</p>
          {signIn.isError && (
            <Alert color="red" mt="sm" role="alert">
              {sayFault(signIn.error, language)}
            </Alert>
          )}
          <PasswordInput
            mt="sm"
            data-autofocus
            required
            withAsterisk={false}
            autoComplete="current-password"
            label={t('againPassword', { email: account.email })}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        </form>
      </Dialog>
      <UnsavedQuestion
        isOpen={isEnded && isAsking}
        lost={t('againLost')}
        onBack={() => setAsking(false)}
        onLeave={() => leaveFor('/sign-in')}
      />
    </>
  );
}
