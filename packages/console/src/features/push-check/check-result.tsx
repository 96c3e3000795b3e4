import type { Key, PackageCheck } from '@keyreeve/sdk';
import { Alert, Badge } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconCircleX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { describeAnswer } from '../../errors/describe-error.ts';
import { formatBytes, formatNumber } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { galleryUsageQuery } from '../packages/packages-queries.ts';
import { type Step, toSteps } from './check-steps.ts';
import classes from './push-check.module.css';
import { pushCheckWords } from './push-check.words.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

interface ResultProps {
  readonly check: PackageCheck;
  /** The key that the push was thought with. */
  readonly value: Key;
}

/** What a push of the package would get: the answer, each question on the way to it, and what would be stored. */
export function CheckResult({ check, value }: ResultProps) {
  const { t } = useWords(pushCheckWords);
  return (
    <div className={classes.result}>
      <Answer check={check} />
      <section aria-label={t('steps')}>
        <h3 className={classes.subtitle}>{t('steps')}</h3>
        <ul className={classes.steps}>
          {toSteps(check).map((step) => (
            <StepLine key={step.name} step={step} check={check} value={value} />
          ))}
        </ul>
      </section>
      {check.package !== null && (
        <Contents value={check.package} title={t(check.wouldSucceed ? 'contents' : 'contentsRefused')} />
      )}
    </div>
  );
}

function Answer({ check }: { readonly check: PackageCheck }) {
  const { t, language } = useWords(pushCheckWords);
  const { refusal, package: read } = check;
  const values = { id: read?.id ?? '', version: read?.version ?? '' };
  const told = refusal === null ? null : describeAnswer(refusal, language);
  const good = t(check.isNew === true ? 'wouldPublish' : 'wouldAdd', values);
  return (
    <Alert
      color={told === null ? 'green' : 'red'}
      role="status"
      tabIndex={-1}
      data-result
      icon={told === null ? <IconCircleCheck {...ICON} size={18} /> : <IconCircleX {...ICON} size={18} />}
      title={told === null ? good : t('wouldFail')}
    >
      {told !== null && `${told.title} `}
      {t('nothingStored')}
    </Alert>
  );
}

function StepIcon({ state }: Pick<Step, 'state'>) {
  if (state === 'passed') return <IconCircleCheck {...ICON} className="kr-green" />;
  if (state === 'failed') return <IconCircleX {...ICON} className="kr-red" />;
  return <IconCircleDashed {...ICON} className="kr-dimmed" />;
}

const STATE_WORDS = { passed: 'passed', failed: 'failed', open: 'notAsked' } as const;
const STEP_WORDS = {
  key: 'keyStep',
  file: 'fileStep',
  scope: 'scopeStep',
  owner: 'ownerStep',
  reserved: 'reservedStep',
  version: 'versionStep',
  quota: 'quotaStep',
} as const;

function StepLine({ step, check, value }: ResultProps & { readonly step: Step }) {
  const { t, language } = useWords(pushCheckWords);
  const { name, state } = step;
  const { refusal } = check;
  return (
    <li className={classes.step}>
      <StepIcon state={state} />
      <div className={`${classes.stepText} ${state === 'open' ? 'kr-dimmed' : ''}`}>
        {state === 'passed' ? <Passed name={name} check={check} value={value} /> : t(STEP_WORDS[name])}
      </div>
      <span className={classes.stepState}>{t(STATE_WORDS[state])}</span>
      {state === 'failed' && refusal !== null && (
        <div className={`${classes.why} kr-red`}>{describeAnswer(refusal, language).detail}</div>
      )}
    </li>
  );
}

/** What passed, with what it passed by. */
function Passed({ name, check, value }: ResultProps & Pick<Step, 'name'>) {
  const { t } = useWords(pushCheckWords);
  const { isNew, pattern } = check;
  if (name === 'scope' && pattern !== null)
    return (
      <Rich
        words={pushCheckWords}
        k={isNew === true ? 'scopeNew' : 'scopeVersion'}
        values={{ pattern }}
        parts={{ code: <code className="kr-mono" /> }}
      />
    );
  if (name === 'owner')
    return (
      <Rich
        words={pushCheckWords}
        k={isNew === true ? 'ownerNew' : 'ownerKnown'}
        values={{ name: value.owner.displayName }}
        parts={{ b: <bdi /> }}
      />
    );
  return (
    <>
      {t(STEP_WORDS[name])}
      {name === 'quota' && <Room check={check} value={value} />}
    </>
  );
}

/** What the owner would have afterwards. Nothing where the person may not ask. */
function Room({ check, value }: ResultProps) {
  const { t, language } = useWords(pushCheckWords);
  const { data } = useQuery({ ...galleryUsageQuery(check.ownerId), retry: false });
  if (data === undefined || check.package === null) return null;
  const { packages, bytes } = data;
  const used = packages.used + (check.isNew === true ? 1 : 0);
  const bytesAfter = formatBytes(bytes.used + check.package.sizeBytes, language);
  const values = { name: value.owner.displayName, bytes: bytesAfter, used: formatNumber(used, language) };
  return (
    <div className="kr-dimmed kr-small">
      {packages.limit === null
        ? t('roomAfter', { ...values, packages: values.used })
        : t('roomPackages', { ...values, limit: formatNumber(packages.limit, language) })}
    </div>
  );
}

function Fact(props: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </>
  );
}

function Contents(props: { readonly value: NonNullable<PackageCheck['package']>; readonly title: string }) {
  const { value, title } = props;
  const { t, language } = useWords(pushCheckWords);
  return (
    <section aria-label={title}>
      <h3 className={classes.subtitle}>{title}</h3>
      <dl className={classes.facts}>
        <Fact name={t('id')}>
          <span className="kr-mono">{value.id}</span>
        </Fact>
        <Fact name={t('version')}>
          <span className="kr-mono">{value.version}</span>{' '}
          {value.isPrerelease && <Badge color="gray">{t('prerelease')}</Badge>}
        </Fact>
        <Fact name={t('size')}>{formatBytes(value.sizeBytes, language)}</Fact>
        {value.title !== null && (
          <Fact name={t('titleOf')}>
            <bdi>{value.title}</bdi>
          </Fact>
        )}
        <Fact name={t('authors')}>
          <bdi>{value.authors}</bdi>
        </Fact>
        <Fact name={t('description')}>
          <div className={classes.long} dir="auto">
            {value.description}
          </div>
        </Fact>
        <Fact name={t('tags')}>{value.tags === null ? t('none') : <bdi>{value.tags}</bdi>}</Fact>
        <Fact name={t('dependencies')}>{formatNumber(value.dependencyCount, language)}</Fact>
        <Fact name={t('readme')}>{value.readme === null ? t('none') : <bdi>{value.readme}</bdi>}</Fact>
        <Fact name={t('icon')}>{value.icon === null ? t('none') : <bdi>{value.icon}</bdi>}</Fact>
        <Fact name="SHA-512">
          <span className="kr-mono kr-small">{value.sha512}</span>
        </Fact>
      </dl>
    </section>
  );
}
