import { Anchor, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { Suspense } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { SkeletonRows } from '../../ui/states.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { consoleQuery } from '../console-info.ts';
import { Mark } from '../mark.tsx';
import { Preferences } from '../preferences.tsx';
import { Banners } from './banners.tsx';
import classes from './public-frame.module.css';
import shell from './shell.module.css';
import { shellWords } from './shell.words.ts';

/** What stands around the pages that people without an account see: whose gallery this is, and the way in. */
export function PublicFrame() {
  const { t } = useWords(shellWords);
  const { data } = useQuery(consoleQuery);
  const { href } = useLocation();
  return (
    <div className={classes.frame}>
      <a className={shell.skip} href="#content">
        {t('skip')}
      </a>
      <header className={classes.top}>
        <Link to="/packages" search={{}} className={classes.home ?? ''}>
          <Mark size={28} />
          <span className={classes.names}>
            <span className={classes.brand}>Keyreeve</span>
            <Truncate
              text={data === undefined ? '' : new URL(data.url).host}
              className="kr-dimmed kr-small"
            />
          </span>
        </Link>
        <div className={classes.tools}>
          <Anchor href="/docs" size="sm">
            {t('documentation')}
          </Anchor>
          <Preferences />
        </div>
        <Button renderRoot={(root) => <Link to="/sign-in" search={{ to: href }} {...root} />}>
          {t('signIn')}
        </Button>
      </header>
      <Banners />
      <main id="content" tabIndex={-1} className={shell.main}>
        <Suspense fallback={<SkeletonRows />}>
          <Outlet />
        </Suspense>
      </main>
    </div>
  );
}
