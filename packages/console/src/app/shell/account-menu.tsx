import { Menu } from '@mantine/core';
import { IconLogout, IconLogout2, IconSelector, IconUserCog } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useSession } from '../../api/session.ts';
import { signOut, signOutEverywhere } from '../../features/session/sign-out.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { AccountMark } from '../../ui/account-mark.tsx';
import { notifyFailure } from '../../ui/notify.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { Preferences } from '../preferences.tsx';
import classes from './shell.module.css';
import { shellWords } from './shell.words.ts';

export function AccountMenu() {
  const { t } = useWords(shellWords);
  const { t: tAccount } = useWords(accountWords);
  const { account } = useSession();
  const navigate = useNavigate();
  return (
    <div className={classes.foot}>
      <div className={classes.preferences}>
        <Preferences />
      </div>
      <Menu position="top-start" width="target">
        <Menu.Target>
          <button type="button" className={classes.account}>
            <span className="kr-visually-hidden">{t('accountMenu')}</span>
            <AccountMark name={account.displayName} kind="user" />
            <span className={classes.accountText}>
              <Truncate text={account.displayName} />
              <span className="kr-dimmed kr-small">{tAccount(account.role)}</span>
            </span>
            <IconSelector size={16} stroke={1.75} aria-hidden />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconUserCog size={16} stroke={1.75} />}
            onClick={() => void navigate({ to: '/profile' })}
          >
            {t('profile')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconLogout size={16} stroke={1.75} />}
            onClick={() => void signOut().catch(notifyFailure)}
          >
            {t('signOut')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconLogout2 size={16} stroke={1.75} />}
            onClick={() => void signOutEverywhere().catch(notifyFailure)}
          >
            {t('signOutEverywhere')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
