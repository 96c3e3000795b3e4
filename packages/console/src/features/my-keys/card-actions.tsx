import type { Key } from '@keyreeve/sdk';
import { ActionIcon, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import {
  IconArrowsExchange,
  IconCircleCheck,
  IconCircleMinus,
  IconPencil,
  IconRefresh,
  IconReplace,
  IconTrash,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useConnection } from '../../api/connection.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { type RowAction, RowActions } from '../../ui/row-actions.tsx';
import { isRegenerable } from '../keys/key-facts.ts';
import { myKeysWords } from './my-keys.words.ts';

export type CardVerb = 'edit' | 'regenerate' | 'replace' | 'enable' | 'disable' | 'endOverlap' | 'delete';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;
const ICONS: Readonly<Record<CardVerb, ReactNode>> = {
  edit: <IconPencil {...ICON} />,
  regenerate: <IconRefresh {...ICON} />,
  replace: <IconReplace {...ICON} />,
  enable: <IconCircleCheck {...ICON} />,
  disable: <IconCircleMinus {...ICON} />,
  endOverlap: <IconArrowsExchange {...ICON} />,
  delete: <IconTrash {...ICON} />,
};

/** Those with words first; the ones that take something away are icons at the end. */
function verbsOf(value: Key): readonly { readonly verb: CardVerb; readonly isIcon: boolean }[] {
  const words: CardVerb[] = ['edit', isRegenerable(value) ? 'regenerate' : 'replace'];
  if (value.overlapEndsAt !== null) words.push('endOverlap');
  if (value.status === 'disabled') words.push('enable');
  const icons: CardVerb[] = value.status === 'disabled' ? ['delete'] : ['disable', 'delete'];
  return [
    ...words.map((verb) => ({ verb, isIcon: false })),
    ...icons.map((verb) => ({ verb, isIcon: true })),
  ];
}

/** What can be done with a key; on a telephone behind one button. */
export function CardActions(props: { readonly value: Key; readonly onAct: (verb: CardVerb) => void }) {
  const { value, onAct } = props;
  const { t } = useWords(myKeysWords);
  const { isOffline } = useConnection();
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const actions = verbsOf(value).map(({ verb, isIcon }) => ({
    id: verb,
    isIcon,
    label: t(`${verb}Of`, { name: value.comment }),
    short: t(verb),
    icon: ICONS[verb],
    onClick: () => onAct(verb),
    isDanger: verb === 'delete',
  }));
  if (isNarrow) return <RowActions actions={actions satisfies readonly RowAction[]} label={value.comment} />;
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
