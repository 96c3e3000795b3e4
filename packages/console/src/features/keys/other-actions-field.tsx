import type { Permission } from '@keyreeve/sdk';
import { ActionIcon, Autocomplete, Button, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useId } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { grantedResources, suggestActions } from './account-grants.ts';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';
import type { OtherScope } from './create-key-draft.ts';
import { PatternField } from './pattern-field.tsx';
import type { FieldProps } from './use-create-key.ts';

type Props = FieldProps & { readonly grants: readonly Permission[] };

/** Scopes of the account's other grants: each action with its own resource patterns. */
export function OtherActionsField(props: Props) {
  const { form, grants } = props;
  const { t } = useWords(createKeyWords);
  const titleId = useId();
  const { others } = form.draft;
  const suggestions = suggestActions(grants);
  if (suggestions.length === 0 && others.length === 0) return null;
  const add = () => {
    const id = Math.max(0, ...others.map((scope) => scope.id)) + 1;
    form.change({ others: [...others, { id, action: '', resources: [], text: '' }] });
  };
  return (
    <div role="group" aria-labelledby={titleId}>
      <p id={titleId} className={classes.title}>
        {t('others')}
      </p>
      {others.map((scope, index) => (
        <OtherScopeFields key={scope.id} {...props} scope={scope} index={index} suggestions={suggestions} />
      ))}
      <Button
        className={others.length === 0 ? '' : classes.add}
        size="xs"
        variant="default"
        leftSection={<IconPlus size={14} stroke={1.75} aria-hidden />}
        onClick={add}
      >
        {t('addOther')}
      </Button>
    </div>
  );
}

function OtherScopeFields(
  props: Props & {
    readonly scope: OtherScope;
    readonly index: number;
    readonly suggestions: readonly string[];
  },
) {
  const { form, wordOf, grants, scope, index, suggestions } = props;
  const { t } = useWords(createKeyWords);
  const { others } = form.draft;
  const patch = (changed: Partial<OtherScope>) =>
    form.change({ others: others.map((each) => (each.id === scope.id ? { ...each, ...changed } : each)) });
  const choose = (action: string) => {
    const granted = suggestions.includes(action) ? grantedResources(grants, action) : [];
    patch(scope.resources.length === 0 ? { action, resources: granted } : { action });
  };
  const removeLabel = scope.action === '' ? t('removeBlank') : t('removeOther', { action: scope.action });
  return (
    <div className={classes.scope}>
      <div className={classes.scopeHead}>
        <Autocomplete
          label={t('action')}
          description={t('actionHint')}
          data={[...suggestions]}
          value={scope.action}
          maxLength={64}
          spellCheck={false}
          autoCapitalize="off"
          classNames={{ input: 'kr-mono' }}
          error={asFieldError(wordOf(`other:${index}:action`))}
          onChange={choose}
        />
        <Tooltip label={removeLabel}>
          <ActionIcon
            aria-label={removeLabel}
            className={classes.remove ?? ''}
            onClick={() => form.change({ others: others.filter((each) => each.id !== scope.id) })}
          >
            <IconTrash size={16} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      </div>
      <PatternField
        label={scope.action === '' ? t('resources') : t('resourcesOf', { action: scope.action })}
        isForPackages={scope.action.startsWith('package:')}
        patterns={scope.resources}
        onChange={(resources) => patch({ resources })}
        text={scope.text}
        onText={(text) => patch({ text })}
        fault={wordOf(`other:${index}:resources`)}
        faultAt={(at) => wordOf(`other:${index}:resource:${at}`)}
      />
    </div>
  );
}
