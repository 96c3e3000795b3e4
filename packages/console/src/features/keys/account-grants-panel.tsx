import { useWords } from '../../i18n/words.tsx';
import type { Account } from '../accounts/accounts-queries.ts';
import { grantsOfAccountKey } from './account-grants.ts';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';

/** What a key with all rights of the account may do now. */
export function AccountGrantsPanel(props: { readonly account: Account }) {
  const { account } = props;
  const { t, language } = useWords(createKeyWords);
  const grants = grantsOfAccountKey(account);
  const separator = language === 'ja' ? '、' : ', ';
  return (
    <section className={classes.grants} aria-label={t('grantsTitle', { name: account.displayName })}>
      <h3 className={classes.title}>{t('grantsTitle', { name: account.displayName })}</h3>
      {grants.length === 0 && <p>{t('noGrants')}</p>}
      {grants.map(({ actions, resources }) => (
        <div key={`${actions.join()} ${resources.join()}`} className={classes.grant}>
          <div className="kr-mono">{actions.join(separator)}</div>
          <div className="kr-small kr-secondary">
            {t('grantOn', { resources: resources.join(separator) })}
          </div>
        </div>
      ))}
      <p className={classes.below}>{t('grantsHint')}</p>
    </section>
  );
}
