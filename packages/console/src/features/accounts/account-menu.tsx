import { ActionIcon, Menu } from '@mantine/core';
import {
  IconCircleMinus,
  IconCopy,
  IconDots,
  IconListSearch,
  IconMailForward,
  IconPlayerPlay,
  IconTrash,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import { useConnection } from '../../api/connection.ts';
import { useIsAdmin } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { copyText } from '../../ui/clipboard.ts';
import { notifyDone, notifyProblem } from '../../ui/notify.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { accountPageWords } from './account-page.words.ts';
import { type Account, isUser } from './accounts-queries.ts';
import { useSendReset } from './status-panel.tsx';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

/** What can be done with an account beside its form. */
export function AccountPageMenu(props: {
  readonly account: Account;
  readonly onSwitch: (isActive: boolean) => void;
  readonly onDelete: () => void;
}) {
  const { account } = props;
  const { t } = useWords(accountPageWords);
  const { t: tUi } = useWords(uiWords);
  const isAdmin = useIsAdmin();
  const opener = useRef<HTMLButtonElement>(null);
  // The entry goes with the menu; a dialog that it opens gives the focus back to what stays.
  const ask = (act: () => void) => () => {
    opener.current?.focus();
    act();
  };
  const copy = async () => {
    if (await copyText(account.id)) notifyDone(t('idCopied'));
    else notifyProblem(tUi('copyFailed'));
  };
  return (
    <Menu position="bottom-end" withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon ref={opener} size={34} aria-label={t('moreActions')}>
          <IconDots size={18} stroke={1.75} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconCopy {...ICON} />} onClick={() => void copy()}>
          {t('copyId')}
        </Menu.Item>
        {isAdmin && <AdminEntries {...props} onAsk={ask} />}
      </Menu.Dropdown>
    </Menu>
  );
}

/** What only administrators may do. */
function AdminEntries(props: {
  readonly account: Account;
  readonly onSwitch: (isActive: boolean) => void;
  readonly onDelete: () => void;
  readonly onAsk: (act: () => void) => () => void;
}) {
  const { account, onAsk: ask } = props;
  const { t } = useWords(accountPageWords);
  const { isOffline } = useConnection();
  const navigate = useNavigate();
  const reset = useSendReset();
  const isActive = account.state === 'active';
  return (
    <>
      <Menu.Item
        leftSection={<IconListSearch {...ICON} />}
        onClick={() => void navigate({ to: '/audit', search: { account: account.id } })}
      >
        {t('auditOf')}
      </Menu.Item>
      {isUser(account) && (
        <Menu.Item
          leftSection={<IconMailForward {...ICON} />}
          disabled={isOffline}
          onClick={() => reset.mutate(account.email)}
        >
          {t('sendReset')}
        </Menu.Item>
      )}
      <Menu.Item
        leftSection={isActive ? <IconCircleMinus {...ICON} /> : <IconPlayerPlay {...ICON} />}
        disabled={isOffline}
        onClick={ask(() => props.onSwitch(!isActive))}
      >
        {isActive ? t('disableVerb') : t('enableVerb')}
      </Menu.Item>
      <Menu.Divider />
      <Menu.Item
        className="kr-red"
        leftSection={<IconTrash {...ICON} />}
        disabled={isOffline}
        onClick={ask(props.onDelete)}
      >
        {t('deleteVerb')}
      </Menu.Item>
    </>
  );
}
