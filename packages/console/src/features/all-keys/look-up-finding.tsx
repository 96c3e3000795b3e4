import { Alert, Button } from '@mantine/core';
import { IconCircleCheck, IconCircleX, IconKeyOff, IconShieldExclamation } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Rich, useWords } from '../../i18n/words.tsx';
import classes from './all-keys.module.css';
import type { Finding, SecretVerdict } from './look-up.ts';
import { lookUpWords } from './look-up.words.ts';
import { LookUpKey } from './look-up-key.tsx';

const ICON = { size: 18, stroke: 1.75, 'aria-hidden': true } as const;
const SHAPE = 'kr_0123456789ABCDEF_…';

const VERDICTS = {
  valid: { word: 'rightValid', color: 'red' },
  insufficient_scope: { word: 'rightValid', color: 'red' },
  rate_limited: { word: 'rightLimited', color: 'red' },
  quota_exceeded: { word: 'rightUsedUp', color: 'red' },
  ip_not_allowed: { word: 'rightElsewhere', color: 'amber' },
  expired: { word: 'rightExpired', color: 'gray' },
  disabled: { word: 'rightDisabled', color: 'gray' },
  account_disabled: { word: 'rightAccountDisabled', color: 'gray' },
  wrong: { word: 'wrong', color: 'gray' },
  notGiven: { word: 'publicOnly', color: 'gray' },
} as const;

/** What the text turned out to be, and what can be done about it. */
export function LookUpFinding(props: {
  readonly finding: Finding;
  readonly onAskPublic: (apiKey: string) => void;
  readonly onAskImported: () => void;
}) {
  const { finding, onAskPublic, onAskImported } = props;
  const { t } = useWords(lookUpWords);
  switch (finding.kind) {
    case 'nothing':
      return (
        <Miss title={t('nothing')} text={t('nothingText', { shape: SHAPE })}>
          <Button size="xs" variant="default" onClick={onAskImported}>
            {t('askImported')}
          </Button>
        </Miss>
      );
    case 'notImported':
      return <Miss title={t('notImported')} text={t('notImportedText')} />;
    case 'mistyped':
      return (
        <Miss title={t('mistyped')} text={t('mistypedText', { apiKey: finding.apiKey })}>
          <Button size="xs" variant="default" onClick={() => onAskPublic(finding.apiKey)}>
            {t('lookUpPublic', { apiKey: finding.apiKey })}
          </Button>
        </Miss>
      );
    case 'unknown':
      return <Miss title={t('unknown')} text={t('unknownText', { apiKey: finding.apiKey })} />;
    default:
      return (
        <>
          <Verdict secret={finding.secret} />
          <LookUpKey apiKey={finding.apiKey} />
        </>
      );
  }
}

function Miss(props: { readonly title: string; readonly text: string; readonly children?: ReactNode }) {
  return (
    <Alert color="amber" title={props.title} icon={<IconKeyOff {...ICON} />}>
      <p>{props.text}</p>
      {props.children !== undefined && <div className={classes.missAction}>{props.children}</div>}
    </Alert>
  );
}

function Verdict({ secret }: { readonly secret: SecretVerdict }) {
  const { word, color } = VERDICTS[secret];
  const icon =
    color === 'red' ? (
      <IconShieldExclamation {...ICON} />
    ) : secret === 'wrong' ? (
      <IconCircleX {...ICON} />
    ) : (
      <IconCircleCheck {...ICON} />
    );
  return (
    <Alert color={color} icon={icon}>
      <Rich words={lookUpWords} k={word} parts={{ b: <b /> }} />
    </Alert>
  );
}
