import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconDots } from '@tabler/icons-react';
import type { ReactNode } from 'react';
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
  const { t } = useWords(uiWords);
  const { isOffline } = useConnection();
  const isNarrow = useMediaQuery('(max-width: 48em), (hover: none)', undefined, {
    getInitialValueInEffect: false,
  });
  if (isNarrow || props.isMenu === true) {
    return (
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon size={36} aria-label={`${t('moreActions')}: ${props.label}`}>
            <IconDots size={18} stroke={1.75} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {props.actions.map((action) => (
            <Menu.Item
              key={action.id}
              leftSection={action.icon}
              disabled={isOffline}
              {...(action.isDanger === true ? { color: 'red' } : {})}
              onClick={action.onClick}
            >
              {action.short}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    );
  }
  return (
    <div className={classes.actions}>
      <IconDots className={classes.rest} size={16} stroke={1.75} aria-hidden />
      <div className={classes.icons}>
        {props.actions.map((action) => (
          <Tooltip key={action.id} label={action.short}>
            <ActionIcon aria-label={action.label} disabled={isOffline} onClick={action.onClick}>
              {action.icon}
            </ActionIcon>
          </Tooltip>
        ))}
      </div>
    </div>
  );
}
