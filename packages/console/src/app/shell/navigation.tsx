import { ActionIcon, Badge } from '@mantine/core';
import {
  IconBook2,
  IconKey,
  IconLayoutDashboard,
  IconListSearch,
  IconMail,
  IconPackage,
  IconPasswordFingerprint,
  IconRobotFace,
  IconSettings,
  IconUsers,
  IconWebhook,
  IconX,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { failedMailsQuery } from '../../api/failed-mails-query.ts';
import { useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { Mark } from '../mark.tsx';
import { useKeysInTrouble } from './keys-in-trouble.ts';
import classes from './shell.module.css';
import { shellWords } from './shell.words.ts';

const ICON = { size: 18, stroke: 1.75, 'aria-hidden': true } as const;

function NavigationLink(props: {
  readonly to: string;
  readonly icon: ReactNode;
  readonly label: string;
  readonly trailing?: ReactNode;
  /** Another page of the same part of the console. */
  readonly alsoAt?: string;
}) {
  const { pathname } = useLocation();
  const isAlsoHere = props.alsoAt !== undefined && pathname === props.alsoAt;
  return (
    <li>
      <Link to={props.to} className={classes.link} {...(isAlsoHere ? { 'data-status': 'active' } : {})}>
        {props.icon}
        <span className={classes.linkLabel}>{props.label}</span>
        {props.trailing}
      </Link>
    </li>
  );
}

function TroubleBadge() {
  const { t } = useWords(shellWords);
  const count = useKeysInTrouble();
  if (count === 0) return null;
  return (
    <Badge color="amber" size="sm" circle={count < 10}>
      <span aria-hidden>{count}</span>
      <span className="kr-visually-hidden">{t('needsAttention', { count })}</span>
    </Badge>
  );
}

/** Somebody waits for a mail that will not come. */
function FailedMailsBadge() {
  const { t } = useWords(shellWords);
  const { data } = useQuery(failedMailsQuery);
  if (data === undefined || data.count === 0) return null;
  const { count, isOpen } = data;
  return (
    <Badge color="red" size="sm" circle={count < 10}>
      <span aria-hidden>{isOpen ? `${count}+` : count}</span>
      <span className="kr-visually-hidden">{t('mailsFailed', { count })}</span>
    </Badge>
  );
}

export function Navigation(props: { readonly onClose: (() => void) | null }) {
  const { t } = useWords(shellWords);
  const { account, workspace, managedIds } = useSession();
  const isAdmin = account.role === 'admin';
  return (
    <>
      <div className={classes.workspace}>
        <Mark size={28} />
        <div className={classes.workspaceText}>
          <div className={classes.workspaceName}>Keyreeve</div>
          <Truncate text={new URL(workspace.url).host} className="kr-dimmed kr-small" />
        </div>
        {props.onClose !== null && (
          <ActionIcon aria-label={t('closeMenu')} onClick={props.onClose}>
            <IconX size={18} stroke={1.75} />
          </ActionIcon>
        )}
      </div>
      <ul className={classes.links}>
        <NavigationLink to="/overview" icon={<IconLayoutDashboard {...ICON} />} label={t('overview')} />
        <NavigationLink
          to="/my-keys"
          icon={<IconKey {...ICON} />}
          label={t('myKeys')}
          trailing={<TroubleBadge />}
        />
        <NavigationLink
          to="/packages"
          alsoAt="/reserved-ids"
          icon={<IconPackage {...ICON} />}
          label={t('packages')}
        />
        {(isAdmin || managedIds.length > 0) && (
          <li>
            <div className={classes.section} id="nav-manage">
              {t('manage')}
            </div>
            <ul aria-labelledby="nav-manage">
              {isAdmin && <NavigationLink to="/users" icon={<IconUsers {...ICON} />} label={t('users')} />}
              <NavigationLink
                to="/service-accounts"
                icon={<IconRobotFace {...ICON} />}
                label={t('serviceAccounts')}
              />
              <NavigationLink to="/keys" icon={<IconPasswordFingerprint {...ICON} />} label={t('allKeys')} />
              {isAdmin && (
                <>
                  <NavigationLink
                    to="/mails"
                    icon={<IconMail {...ICON} />}
                    label={t('mails')}
                    trailing={<FailedMailsBadge />}
                  />
                  <NavigationLink to="/webhooks" icon={<IconWebhook {...ICON} />} label={t('webhooks')} />
                  <NavigationLink to="/audit" icon={<IconListSearch {...ICON} />} label={t('audit')} />
                  <NavigationLink to="/settings" icon={<IconSettings {...ICON} />} label={t('settings')} />
                </>
              )}
            </ul>
          </li>
        )}
      </ul>
      <a className={classes.link} href="/docs">
        <IconBook2 {...ICON} />
        <span className={classes.linkLabel}>{t('documentation')}</span>
      </a>
    </>
  );
}
