import { AppShell, Burger } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { Outlet, useLocation } from '@tanstack/react-router';
import { Suspense, useEffect } from 'react';
import { useIsOtherAccount } from '../../api/page-account.ts';
import { useSignedIn } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { SkeletonRows } from '../../ui/states.tsx';
import { Mark } from '../mark.tsx';
import { AccountMenu } from './account-menu.tsx';
import { Banners } from './banners.tsx';
import { Navigation } from './navigation.tsx';
import { OtherAccount } from './other-account.tsx';
import { PublicFrame } from './public-frame.tsx';
import { Reauthentication } from './reauthentication.tsx';
import classes from './shell.module.css';
import { shellWords } from './shell.words.ts';

/**
 * What stands around every page of a signed-in person, as long as that is the one whom it was drawn for; and around
 * the pages of an open gallery, which visitors see as well.
 */
export function Shell() {
  const isOther = useIsOtherAccount();
  const signedIn = useSignedIn();
  if (isOther) return <OtherAccount />;
  return signedIn === null ? <PublicFrame /> : <Frame />;
}

/** Below 48 em the navigation is a drawer. */
function Frame() {
  const { t } = useWords(shellWords);
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const { pathname } = useLocation();
  useEffect(() => close(), [pathname, close]);
  return (
    <AppShell
      layout="alt"
      header={{ height: 52, collapsed: !isNarrow }}
      navbar={{ width: 232, breakpoint: '48em', collapsed: { mobile: !isOpen } }}
      transitionDuration={0}
    >
      <a className={classes.skip} href="#content">
        {t('skip')}
      </a>
      <AppShell.Header className={classes.header}>
        {isNarrow && (
          <>
            <Burger
              size="sm"
              opened={isOpen}
              onClick={toggle}
              aria-label={isOpen ? t('closeMenu') : t('openMenu')}
            />
            <Mark size={24} />
            <span className={classes.brand}>Keyreeve</span>
          </>
        )}
      </AppShell.Header>
      <AppShell.Navbar
        className={classes.navbar}
        aria-label={t('navigation')}
        {...(isNarrow && !isOpen ? { inert: true } : {})}
      >
        <Navigation onClose={isNarrow ? close : null} />
        <AccountMenu />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <Banners />
        <Suspense fallback={<SkeletonRows />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
      <Reauthentication />
    </AppShell>
  );
}
