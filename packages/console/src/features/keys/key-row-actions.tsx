import type { Key } from '@keyreeve/sdk';
import { RowActions } from '../../ui/row-actions.tsx';
import { isRegenerable } from './key-facts.ts';
import type { KeyRequest } from './key-request.ts';
import { useKeyAction } from './key-verbs.tsx';

/** What can be done with a key now. Imported keys cannot be regenerated, and only an overlap can be ended. */
export function KeyRowActions(props: {
  readonly value: Key;
  readonly onRequest: (request: KeyRequest) => void;
  /** One button with a menu, where the columns leave no room for icons. */
  readonly isMenu?: boolean;
}) {
  const { value: key, onRequest } = props;
  const actionOf = useKeyAction(key);
  const verbs: KeyRequest['kind'][] = ['usage', 'edit'];
  if (key.overlapEndsAt !== null) verbs.push('endOverlap');
  if (isRegenerable(key)) verbs.push('regenerate');
  verbs.push(key.status === 'disabled' ? 'enable' : 'disable', 'delete');
  const actions = verbs.map((kind) => actionOf(kind, () => onRequest({ kind, key })));
  return <RowActions actions={actions} label={key.comment} isMenu={props.isMenu === true} />;
}
