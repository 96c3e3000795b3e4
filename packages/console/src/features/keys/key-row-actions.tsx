import type { Key } from '@keyreeve/sdk';
import {
  IconArrowsDiff,
  IconCircleMinus,
  IconPencil,
  IconPlayerPlay,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import { useWords } from '../../i18n/words.tsx';
import { type RowAction, RowActions } from '../../ui/row-actions.tsx';
import { apiAccessWords } from './api-access.words.ts';
import { isRegenerable } from './key-facts.ts';
import type { KeyRequest } from './key-request.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

/** What can be done with a key now. Imported keys cannot be regenerated, and only an overlap can be ended. */
export function KeyRowActions(props: {
  readonly value: Key;
  readonly onRequest: (request: KeyRequest) => void;
  /** One button with a menu, where the columns leave no room for icons. */
  readonly isMenu?: boolean;
}) {
  const { t } = useWords(apiAccessWords);
  const { value: key, onRequest } = props;
  const name = key.comment;
  const action = (
    kind: KeyRequest['kind'],
    icon: React.ReactNode,
    more: { readonly isDanger?: boolean } = {},
  ): RowAction => ({
    id: kind,
    icon,
    label: t(`${kind}Of`, { name }),
    short: t(kind),
    onClick: () => onRequest({ kind, key }),
    ...more,
  });
  const actions = [
    action('edit', <IconPencil {...ICON} />),
    ...(key.overlapEndsAt === null ? [] : [action('endOverlap', <IconArrowsDiff {...ICON} />)]),
    ...(isRegenerable(key) ? [action('regenerate', <IconRefresh {...ICON} />)] : []),
    key.status === 'disabled'
      ? action('enable', <IconPlayerPlay {...ICON} />)
      : action('disable', <IconCircleMinus {...ICON} />),
    action('delete', <IconTrash {...ICON} />, { isDanger: true }),
  ];
  return <RowActions actions={actions} label={name} isMenu={props.isMenu === true} />;
}
