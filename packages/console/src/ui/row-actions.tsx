import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import {
  type FocusEvent,
  type MouseEvent,
  type ReactNode,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { useConnection } from '../api/connection.ts';
import { useWords } from '../i18n/words.tsx';
import classes from './row-actions.module.css';
import { uiWords } from './ui.words.ts';

export interface RowAction {
  readonly id: string;
  /** The verb and, for those who only hear it, the thing: "Delete Build agents". */
  readonly label: string;
  /** The verb alone, for the tooltip and the menu. */
  readonly short: string;
  readonly icon: ReactNode;
  readonly onClick: () => void;
  readonly isDanger?: boolean;
}

const NO_HOVER = globalThis.matchMedia('(max-width: 48em), (hover: none)');
const rows = new Set<() => void>();
// All rows at once: told by the browser one by one, each of them would draw the page anew by itself.
NO_HOVER.addEventListener('change', () => {
  for (const notify of rows) notify();
});

function subscribe(notify: () => void): () => void {
  rows.add(notify);
  return () => rows.delete(notify);
}

/** One question to the browser for all rows: a list has hundreds of them. */
function useHasNoHover(): boolean {
  return useSyncExternalStore(subscribe, () => NO_HOVER.matches);
}

/**
 * What can be done with a row: a dimmed `⋯` at rest that opens into icons on hover and when the keyboard comes by;
 * a menu on a telephone, where nothing hovers.
 */
export function RowActions(props: {
  readonly actions: readonly RowAction[];
  readonly label: string;
  /** A menu on wide screens too, where the columns leave no room for icons. */
  readonly isMenu?: boolean;
}) {
  const hasNoHover = useHasNoHover();
  return hasNoHover || props.isMenu === true ? (
    <ActionMenu actions={props.actions} label={props.label} />
  ) : (
    <ActionIcons actions={props.actions} />
  );
}

function ActionMenu(props: { readonly actions: readonly RowAction[]; readonly label: string }) {
  const { t } = useWords(uiWords);
  const { isOffline } = useConnection();
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <Menu position="bottom-end" withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon ref={opener} size={36} aria-label={`${t('moreActions')}: ${props.label}`}>
          <IconDots size={18} stroke={1.75} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {props.actions.map((action) => (
          <Menu.Item
            key={action.id}
            leftSection={action.icon}
            disabled={isOffline}
            className={action.isDanger === true ? 'kr-red' : ''}
            onClick={() => {
              // The entry goes with the menu; a dialog that it opens gives the focus back to what stays.
              opener.current?.focus();
              action.onClick();
            }}
          >
            {action.short}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

const HINT_DELAY_MS = 300;

interface Hint {
  readonly label: string;
  readonly target: HTMLElement;
}

/** What an icon does, in words: after a moment under the pointer, at once for the keyboard. */
function useHint() {
  const [hint, setHint] = useState<Hint | null>(null);
  const timer = useRef(0);
  const hide = () => {
    clearTimeout(timer.current);
    setHint(null);
  };
  const handlersFor = (label: string) => ({
    onMouseEnter: ({ currentTarget: target }: MouseEvent<HTMLElement>) => {
      timer.current = globalThis.setTimeout(
        () => setHint({ label, target }),
        HINT_DELAY_MS,
      ) as unknown as number;
    },
    onMouseLeave: hide,
    onFocus: ({ currentTarget: target }: FocusEvent<HTMLElement>) => {
      if (target.matches(':focus-visible')) setHint({ label, target });
    },
    onBlur: hide,
  });
  return { hint, hide, handlersFor };
}

/** One tooltip for all icons, drawn only while it is looked at: a tooltip of its own for each would slow lists down. */
function ActionIcons(props: { readonly actions: readonly RowAction[] }) {
  const { isOffline } = useConnection();
  const { hint, hide, handlersFor } = useHint();
  return (
    <div className={classes.actions}>
      <IconDots className={classes.rest} size={16} stroke={1.75} aria-hidden />
      <div className={classes.icons}>
        {props.actions.map((action) => (
          <ActionIcon
            key={action.id}
            aria-label={action.label}
            disabled={isOffline}
            onClick={() => {
              hide();
              action.onClick();
            }}
            {...handlersFor(action.short)}
          >
            {action.icon}
          </ActionIcon>
        ))}
      </div>
      {hint !== null && <Tooltip opened label={hint.label} target={hint.target} />}
    </div>
  );
}
