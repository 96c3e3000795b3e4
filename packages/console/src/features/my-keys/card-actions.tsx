import type { Key } from '@keyreeve/sdk';
import { ActionIcon, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useConnection } from '../../api/connection.ts';
import { ActionButton } from '../../ui/action-button.tsx';
import { RowActions } from '../../ui/row-actions.tsx';
import { isRegenerable } from '../keys/key-facts.ts';
import { type KeyVerb, useKeyAction } from '../keys/key-verbs.tsx';

/** Those with words first; how it is used, and what takes something away, are icons at the end. */
function verbsOf(value: Key): readonly { readonly verb: KeyVerb; readonly isIcon: boolean }[] {
  const words: KeyVerb[] = ['edit', isRegenerable(value) ? 'regenerate' : 'replace'];
  if (value.overlapEndsAt !== null) words.push('endOverlap');
  if (value.status === 'disabled') words.push('enable');
  const icons: KeyVerb[] = value.status === 'disabled' ? ['usage', 'delete'] : ['usage', 'disable', 'delete'];
  return [
    ...words.map((verb) => ({ verb, isIcon: false })),
    ...icons.map((verb) => ({ verb, isIcon: true })),
  ];
}

/** What can be done with a key; on a telephone behind one button. */
export function CardActions(props: { readonly value: Key; readonly onAct: (verb: KeyVerb) => void }) {
  const { value, onAct } = props;
  const actionOf = useKeyAction(value);
  const { isOffline } = useConnection();
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const actions = verbsOf(value).map(({ verb, isIcon }) => ({
    ...actionOf(verb, () => onAct(verb)),
    isIcon,
  }));
  if (isNarrow) return <RowActions actions={actions} label={value.comment} />;
  return actions.map(({ id, isIcon, label, short, icon, onClick }) =>
    isIcon ? (
      <Tooltip key={id} label={short}>
        <ActionIcon aria-label={label} disabled={isOffline} onClick={onClick}>
          {icon}
        </ActionIcon>
      </Tooltip>
    ) : (
      <ActionButton
        key={id}
        size="xs"
        variant="subtle"
        color="gray"
        aria-label={label}
        leftSection={icon}
        onClick={onClick}
      >
        {short}
      </ActionButton>
    ),
  );
}
