import { Link } from '@tanstack/react-router';
import { useIsAdmin } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { packagesWords } from './packages.words.ts';
import classes from './packages-tabs.module.css';

/** Between the packages and what only administrators see of them. */
export function PackagesTabs() {
  const { t } = useWords(packagesWords);
  if (!useIsAdmin()) return null;
  return (
    <nav aria-label={t('parts')} className={classes.tabs}>
      <Link
        to="/packages"
        activeOptions={{ exact: true, includeSearch: false }}
        className={classes.tab ?? ''}
      >
        {t('title')}
      </Link>
      <Link to="/reserved-ids" activeOptions={{ includeSearch: false }} className={classes.tab ?? ''}>
        {t('reservedIds')}
      </Link>
    </nav>
  );
}
