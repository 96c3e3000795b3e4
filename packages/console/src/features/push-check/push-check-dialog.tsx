import type { Key } from '@keyreeve/sdk';
import { Button, FileInput, Select } from '@mantine/core';
import { IconFileZip } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { useSession } from '../../api/session.ts';
import { formatBytes } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import { Refusal } from '../../ui/refusal.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { isWorking } from '../keys/key-facts.ts';
import { galleryUsageQuery } from '../packages/packages-queries.ts';
import { CheckResult } from './check-result.tsx';
import classes from './push-check.module.css';
import { pushCheckWords } from './push-check.words.ts';
import { useOwnKeys } from './push-check-queries.ts';
import { usePackageCheck } from './use-package-check.ts';

interface PushCheckProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** The dry run: a package is sent, checked as a push would be, and thrown away. */
export function PushCheckDialog({ isOpen, onClose }: PushCheckProps) {
  useReturnFocus(isOpen);
  return isOpen ? <OpenDialog onClose={onClose} /> : null;
}

/** What keeps a file from being sent at all. */
function useFileFault(file: File | null): string | null {
  const { t, language } = useWords(pushCheckWords);
  const { account } = useSession();
  const { data } = useQuery(galleryUsageQuery(account.id));
  if (file === null) return null;
  if (file.size === 0) return t('empty', { name: file.name });
  const limit = data?.packageFile.limitBytes ?? Number.POSITIVE_INFINITY;
  if (file.size <= limit) return null;
  const size = (bytes: number) => formatBytes(bytes, language);
  return t('tooLarge', { name: file.name, size: size(file.size), limit: size(limit) });
}

/** The file and the key that were chosen, and the check of them. */
function useForm() {
  const [file, setFile] = useState<File | null>(null);
  const [keyId, setKeyId] = useState<string | null>(null);
  const keys = useOwnKeys();
  const value = keys?.find(({ id }) => id === keyId) ?? keys?.find(isWorking) ?? keys?.[0] ?? null;
  const fileFault = useFileFault(file);
  const { check, sentBytes, isStopped, stop } = usePackageCheck();
  const wish = file === null || value === null || fileFault !== null ? null : { file, keyId: value.id };
  return {
    file,
    setFile,
    fileFault,
    keys,
    value,
    setKeyId,
    check,
    sentBytes,
    isStopped,
    stop,
    isReady: wish !== null,
    submit: (event: FormEvent) => {
      event.preventDefault();
      if (wish !== null && !check.isPending) check.mutate(wish);
    },
    again: () => {
      check.reset();
      setFile(null);
    },
  };
}

function OpenDialog({ onClose }: Pick<PushCheckProps, 'onClose'>) {
  const { t } = useWords(pushCheckWords);
  const formId = useId();
  const form = useForm();
  const { check, value } = form;
  const result = useRef<HTMLDivElement>(null);
  const { data, isPending } = check;
  useEffect(() => {
    if (data !== undefined) result.current?.querySelector<HTMLElement>('[data-result]')?.focus();
  }, [data]);
  const isDone = data !== undefined && value !== null;
  return (
    <Dialog
      isOpen
      size="medium"
      onClose={onClose}
      title={t('title')}
      actions={<Actions form={form} formId={formId} isDone={isDone} onClose={onClose} />}
    >
      {isDone ? (
        <div ref={result}>
          <CheckResult check={data} value={value} />
        </div>
      ) : (
        <form id={formId} onSubmit={form.submit} noValidate className={classes.form}>
          <p>{t('text')}</p>
          <Failure error={form.isStopped ? null : check.error} />
          <PackageFileField
            value={form.file}
            error={form.fileFault}
            isOff={isPending}
            onChange={form.setFile}
          />
          <KeyField keys={form.keys} value={value} isOff={isPending} onChange={form.setKeyId} />
          <Sending
            file={isPending ? form.file : null}
            sentBytes={form.sentBytes}
            isStopped={form.isStopped}
          />
        </form>
      )}
    </Dialog>
  );
}

function Actions(props: {
  readonly form: ReturnType<typeof useForm>;
  readonly formId: string;
  readonly isDone: boolean;
  readonly onClose: () => void;
}) {
  const { form, formId, isDone, onClose } = props;
  const { t } = useWords(pushCheckWords);
  const { t: ui } = useWords(uiWords);
  if (isDone)
    return (
      <>
        <Button variant="default" onClick={form.again}>
          {t('another')}
        </Button>
        <Button onClick={onClose}>{ui('done')}</Button>
      </>
    );
  const { isPending } = form.check;
  return (
    <>
      <Button variant="default" onClick={isPending ? form.stop : onClose}>
        {isPending ? t('stop') : ui('cancel')}
      </Button>
      <ActionButton type="submit" form={formId} loading={isPending} disabled={!form.isReady}>
        {t('check')}
      </ActionButton>
    </>
  );
}

function Failure({ error }: { readonly error: unknown }) {
  const { language } = useWords(pushCheckWords);
  return <Refusal>{readFaults(error, language, []).rest}</Refusal>;
}

function PackageFileField(props: {
  readonly value: File | null;
  readonly error: string | null;
  readonly isOff: boolean;
  readonly onChange: (file: File | null) => void;
}) {
  const { t, language } = useWords(pushCheckWords);
  const { account } = useSession();
  const { data } = useQuery(galleryUsageQuery(account.id));
  const limit = data === undefined ? '…' : formatBytes(data.packageFile.limitBytes, language);
  return (
    <FileInput
      data-autofocus
      label={t('file')}
      description={t('fileHint', { size: limit })}
      placeholder={t('chooseFile')}
      accept=".nupkg"
      leftSection={<IconFileZip size={16} stroke={1.75} aria-hidden />}
      value={props.value}
      error={asFieldError(props.error)}
      disabled={props.isOff}
      onChange={props.onChange}
    />
  );
}

/** With which key the push is thought: keys that work first, each with the name of its account. */
function KeyField(props: {
  readonly keys: readonly Key[] | undefined;
  readonly value: Key | null;
  readonly isOff: boolean;
  readonly onChange: (keyId: string | null) => void;
}) {
  const { keys, value, isOff } = props;
  const { t } = useWords(pushCheckWords);
  if (keys?.length === 0)
    return (
      <p>
        <Rich
          words={pushCheckWords}
          k="noKeys"
          parts={{ a: <Link to="/my-keys" className={classes.link ?? ''} /> }}
        />
      </p>
    );
  const labelOf = (key: Key) => {
    const name = t('keyOf', { comment: key.comment, name: key.account.displayName });
    return isWorking(key)
      ? name
      : t('keyOff', { name, state: t(key.status === 'disabled' ? 'disabled' : 'expired') });
  };
  const sorted = (keys ?? []).toSorted((a, b) => Number(isWorking(b)) - Number(isWorking(a)));
  return (
    <Select
      label={t('key')}
      description={t('keyHint')}
      placeholder={t('chooseKey')}
      searchable
      allowDeselect={false}
      nothingFoundMessage={t('noKeyFound')}
      data={sorted.map((key) => ({ value: key.id, label: labelOf(key) }))}
      value={value?.id ?? null}
      disabled={isOff}
      onChange={props.onChange}
    />
  );
}

function Sending(props: {
  /** Null: nothing is being sent. */
  readonly file: File | null;
  readonly sentBytes: number;
  readonly isStopped: boolean;
}) {
  const { file, sentBytes, isStopped } = props;
  const { t, language } = useWords(pushCheckWords);
  const size = (bytes: number) => formatBytes(bytes, language);
  const isSent = file !== null && sentBytes >= file.size;
  const share = file === null ? 0 : Math.min(100, (sentBytes / file.size) * 100);
  return (
    <div className={classes.progress}>
      {file !== null && (
        <div
          className={classes.track}
          role="progressbar"
          aria-label={t('sending')}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share)}
        >
          <span className={classes.sent} style={{ width: `${share}%` }} />
        </div>
      )}
      <div role="status" className="kr-dimmed">
        {file === null
          ? isStopped && t('stopped')
          : isSent
            ? t('reading')
            : t('sent', { sent: size(sentBytes), size: size(file.size) })}
      </div>
    </div>
  );
}
