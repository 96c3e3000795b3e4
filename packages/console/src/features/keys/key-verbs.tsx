import type { Key } from '@keyreeve/sdk';
import {
  IconActivity,
  IconArrowsExchange,
  IconCircleCheck,
  IconCircleMinus,
  IconPencil,
  IconRefresh,
  IconReplace,
  IconTrash,
} from '@tabler/icons-react';
import { useWords } from '../../i18n/words.tsx';
import type { RowAction } from '../../ui/row-actions.tsx';
import type { KeyRequest } from './key-request.ts';
import { keyVerbsWords } from './key-verbs.words.ts';

export type KeyVerb = KeyRequest['kind'] | 'replace';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;
const ICONS = {
  usage: <IconActivity {...ICON} />,
  edit: <IconPencil {...ICON} />,
  regenerate: <IconRefresh {...ICON} />,
  replace: <IconReplace {...ICON} />,
  enable: <IconCircleCheck {...ICON} />,
  disable: <IconCircleMinus {...ICON} />,
  endOverlap: <IconArrowsExchange {...ICON} />,
  delete: <IconTrash {...ICON} />,
} as const satisfies Record<KeyVerb, unknown>;

/** The actions of a key by their verbs: the same words and icons wherever a key is shown. */
export function useKeyAction(value: Key): (verb: KeyVerb, onClick: () => void) => RowAction {
  const { t } = useWords(keyVerbsWords);
  return (verb, onClick) => ({
    id: verb,
    label: t(`${verb}Of`, { name: value.comment }),
    short: t(verb),
    icon: ICONS[verb],
    onClick,
    isDanger: verb === 'delete',
  });
}
