import type { Permission } from '@keyreeve/sdk';
import { ActionIcon, Button, TagsInput, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import type { FieldFaults } from '../../ui/field-faults.ts';
import { Panel } from '../../ui/panel.tsx';
import { PatternPills } from '../keys/key-access.tsx';
import { PatternField } from '../keys/pattern-field.tsx';
import classes from './account-page.module.css';
import { accountPageWords } from './account-page.words.ts';
import forms from './forms.module.css';

/** Actions that mean something to this server; others may be named all the same. */
const KNOWN_ACTIONS = [
  'package:*',
  'package:push',
  'package:pushnew',
  'package:pushversion',
  'package:unlist',
  'package:read',
  'iam:accounts:read',
  'iam:accounts:write',
  'iam:keys:read',
  'iam:keys:write',
  'iam:keys:verify',
  'iam:keys:import',
  'iam:settings:read',
  'iam:settings:write',
  'iam:audit:read',
];

const DEFAULT_RIGHTS: readonly Permission[] = [{ actions: ['package:*'], resources: ['*'] }];

function isPackageAction(action: string): boolean {
  return action.startsWith('package:');
}

/** One right in words, for whoever may only read it. */
export function RightText(props: { readonly value: Permission }) {
  const { t } = useWords(accountPageWords);
  return (
    <div className={classes.readOnlyRight}>
      <span className="kr-mono">{props.value.actions.join(', ')}</span>
      <span className="kr-dimmed">{t('on')}</span>
      <PatternPills resources={props.value.resources} />
    </div>
  );
}

interface RightRowProps {
  readonly index: number;
  readonly value: Permission;
  readonly text: string;
  readonly faults: FieldFaults;
  readonly onChange: (value: Permission) => void;
  readonly onText: (text: string) => void;
  readonly onRemove: () => void;
}

function RightRow({ index, value, text, faults, onChange, onText, onRemove }: RightRowProps) {
  const { t } = useWords(accountPageWords);
  const n = index + 1;
  const at = (part: string) => faults.of(`grants[${index}].${part}`);
  const ofPattern = (place: number) => at(`resources[${place}]`);
  const hasPatternFault = value.resources.some((_, place) => ofPattern(place) !== null);
  return (
    <li className={classes.right} aria-label={t('rightsNumber', { n })}>
      <TagsInput
        label={t('grantActions')}
        placeholder={value.actions.length === 0 ? t('actionPlaceholder') : ''}
        acceptValueOnBlur
        openOnFocus={false}
        splitChars={[',', ' ', '、']}
        data={KNOWN_ACTIONS.filter((action) => !value.actions.includes(action))}
        classNames={{ input: 'kr-mono', pill: `${forms.pill} kr-mono` }}
        spellCheck={false}
        value={value.actions}
        error={asFieldError(at('actions'))}
        onChange={(actions) => onChange({ ...value, actions })}
      />
      <PatternField
        label={t('grantPatterns')}
        patterns={value.resources}
        text={text}
        onText={onText}
        isForPackages={value.actions.some(isPackageAction)}
        faultAt={ofPattern}
        fault={hasPatternFault ? null : at('resources')}
        onChange={(resources) => onChange({ ...value, resources: [...resources] })}
      />
      <Tooltip label={t('removeRight', { n })}>
        <ActionIcon className={classes.remove ?? ''} aria-label={t('removeRight', { n })} onClick={onRemove}>
          <IconTrash size={16} stroke={1.75} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </li>
  );
}

/** What the account may do: to be changed by administrators, to be read by others. */
export function RightsPanel(props: {
  readonly value: readonly Permission[];
  readonly onChange: ((value: Permission[]) => void) | null;
  readonly faults: FieldFaults;
  readonly isOfAdmin: boolean;
}) {
  const { value, onChange, faults } = props;
  const { t } = useWords(accountPageWords);
  const description = props.isOfAdmin ? `${t('rightsText')} ${t('rightsOfAdmins')}` : t('rightsText');
  return (
    <Panel title={t('rights')} description={description}>
      {onChange === null ? (
        <>
          {value.length === 0 ? (
            <p className="kr-secondary">{t('noRights')}</p>
          ) : (
            <ul className={classes.rights}>
              {value.map((right) => (
                <li key={JSON.stringify(right)}>
                  <RightText value={right} />
                </li>
              ))}
            </ul>
          )}
          <p className="kr-dimmed kr-small">{t('rightsReadOnly')}</p>
        </>
      ) : (
        <RightsEditor value={value} onChange={onChange} faults={faults} />
      )}
    </Panel>
  );
}

function RightsEditor(props: {
  readonly value: readonly Permission[];
  readonly onChange: (value: Permission[]) => void;
  readonly faults: FieldFaults;
}) {
  const { value, onChange, faults } = props;
  const { t } = useWords(accountPageWords);
  // What is typed and not yet a pattern, by row.
  const [texts, setTexts] = useState<readonly string[]>([]);
  const isEntryFault = value.some((_, index) => faults.of(`grants[${index}]`) !== null);
  const wholeFault = isEntryFault ? null : faults.of('grants');
  return (
    <>
      {value.length === 0 && <p className="kr-secondary">{t('noRights')}</p>}
      <ul className={classes.rights}>
        {value.map((right, index) => (
          <RightRow
            // A right has no name but its place.
            key={index}
            index={index}
            value={right}
            text={texts[index] ?? ''}
            faults={faults}
            onChange={(next) => onChange(value.with(index, next))}
            onText={(text) => setTexts((before) => Object.assign([...before], { [index]: text }))}
            onRemove={() => {
              setTexts((before) => before.filter((_, each) => each !== index));
              onChange(value.filter((_, each) => each !== index));
            }}
          />
        ))}
      </ul>
      {wholeFault !== null && <div role="alert">{asFieldError(wholeFault)}</div>}
      <div className={classes.foot}>
        <Button
          variant="default"
          leftSection={<IconPlus size={16} stroke={1.75} aria-hidden />}
          onClick={() => onChange([...value, { actions: [], resources: [] }])}
        >
          {t('addRight')}
        </Button>
        {value.length === 0 && (
          <Button variant="default" onClick={() => onChange([...DEFAULT_RIGHTS])}>
            {t('defaultRights')}
          </Button>
        )}
      </div>
    </>
  );
}
