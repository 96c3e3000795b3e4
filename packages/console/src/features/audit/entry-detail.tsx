import type { AuditEntry } from '@keyreeve/sdk';
import { Button } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { describeAgent } from '../../format/agent.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './audit.module.css';
import { auditWords } from './audit.words.ts';
import { type DetailField, type DetailValue, readDetail } from './detail-values.ts';
import type { KnownAccounts } from './entry-words.ts';
import { wordField } from './field-texts.ts';

const ARROW = <IconArrowRight size={14} stroke={1.75} aria-hidden />;

function FieldList(props: {
  readonly title: string;
  readonly fields: readonly { readonly name: string; readonly value: DetailValue }[];
  readonly isNew?: boolean;
}) {
  const { language } = useWords(auditWords);
  return (
    <div className={classes.part}>
      <div className={classes.partTitle}>{props.title}</div>
      <dl className={classes.facts}>
        {props.fields.map(({ name, value }) => (
          <div key={name} className={classes.fact}>
            <dt>
              <bdi>{wordField(name, language)}</bdi>
            </dt>
            <dd data-new={props.isNew === true || undefined}>
              <bdi className={value.isMono ? 'kr-mono' : ''}>{value.text}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** Before and after of what was changed, and whatever else the event says. */
function Fields(props: { readonly fields: readonly DetailField[] }) {
  const { t } = useWords(auditWords);
  const changes = props.fields.flatMap(({ name, from, to }) => (from === null ? [] : [{ name, from, to }]));
  const facts = props.fields.flatMap(({ name, from, to }) => (from === null ? [{ name, value: to }] : []));
  return (
    <>
      {changes.length > 0 && (
        <>
          <FieldList title={t('before')} fields={changes.map(({ name, from }) => ({ name, value: from }))} />
          <FieldList title={t('after')} fields={changes.map(({ name, to }) => ({ name, value: to }))} isNew />
        </>
      )}
      {facts.length > 0 && <FieldList title={t('facts')} fields={facts} />}
      {props.fields.length === 0 && <p className={classes.noDetail}>{t('noDetail')}</p>}
    </>
  );
}

/** The page of what the event was about, unless that is gone. */
function OpenLink(props: { readonly entry: AuditEntry; readonly known: KnownAccounts }) {
  const { entry, known } = props;
  const { t } = useWords(auditWords);
  const { action, target, keyId, accountId } = entry;
  if (target.kind === 'package') {
    return (
      <Button
        size="xs"
        variant="default"
        rightSection={ARROW}
        renderRoot={(root) => <Link {...root} to="/packages/$id" params={{ id: target.id }} />}
      >
        {t('openPackage')}
      </Button>
    );
  }
  if (keyId !== null) {
    if (action === 'key.deleted') return null;
    return (
      <Button
        size="xs"
        variant="default"
        rightSection={ARROW}
        renderRoot={(root) => <Link {...root} to="/keys" search={{ q: keyId }} />}
      >
        {t('openKey')}
      </Button>
    );
  }
  if (accountId === null || action === 'account.deleted') return null;
  const isService = (known.get(accountId)?.kind ?? target.kind) === 'service';
  return (
    <Button
      size="xs"
      variant="default"
      rightSection={ARROW}
      renderRoot={(root) => (
        <Link {...root} to={isService ? '/service-accounts/$id' : '/users/$id'} params={{ id: accountId }} />
      )}
    >
      {t('openAccount')}
    </Button>
  );
}

export function EntryDetail(props: { readonly entry: AuditEntry; readonly known: KnownAccounts }) {
  const { entry, known } = props;
  const { t, language } = useWords(auditWords);
  const fields = readDetail(entry.detail, language, (id) => known.get(id)?.name ?? null);
  const agent = describeAgent(entry.userAgent ?? '');
  return (
    <div className={classes.detail}>
      <div className={classes.parts}>
        <Fields fields={fields} />
        <div className={classes.part}>
          <div className={classes.partTitle}>{t('request')}</div>
          <div className={classes.requestId}>{entry.requestId ?? '–'}</div>
          {agent !== '' && <bdi className="kr-dimmed">{agent}</bdi>}
        </div>
      </div>
      <OpenLink entry={entry} known={known} />
    </div>
  );
}
