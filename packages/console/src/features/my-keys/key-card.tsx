import type { Key } from '@keyreeve/sdk';
import { useId } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { CopyIcon } from '../../ui/copy-button.tsx';
import { FullAccessMark, KeyState } from '../../ui/key-state.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { KeyMay } from '../keys/key-access.tsx';
import type { KeyVerb } from '../keys/key-verbs.tsx';
import { CardActions } from './card-actions.tsx';
import { ExpiresCell, LastUsedCell, PackagesCell } from './card-cells.tsx';
import { FreshSecret } from './fresh-secret.tsx';
import type { FreshSecrets } from './fresh-secrets.ts';
import classes from './my-keys.module.css';
import { myKeysWords } from './my-keys.words.ts';

/** One of the person's own keys: its name and state, what can be done with it, and what there is to know. */
export function KeyCard(props: {
  readonly value: Key;
  readonly secrets: FreshSecrets;
  readonly onAct: (verb: KeyVerb, key: Key) => void;
}) {
  const { value, secrets, onAct } = props;
  const { t } = useWords(myKeysWords);
  const nameId = useId();
  const fresh = secrets.of(value);
  return (
    <article className={classes.key} aria-labelledby={nameId} data-fresh={fresh !== null || undefined}>
      <div className={classes.keyHead}>
        <h3 id={nameId} className={classes.keyName}>
          <Truncate text={value.comment} />
        </h3>
        <div className={classes.keyState}>
          <KeyState value={value} second={value.status === 'expired' ? 'none' : 'beside'} />
          {value.access === 'full' && <FullAccessMark />}
        </div>
        <div className={classes.keyActions}>
          <CardActions value={value} onAct={(verb) => onAct(verb, value)} />
        </div>
      </div>
      {fresh !== null && <FreshSecret key={fresh.key.generation} fresh={fresh} secrets={secrets} />}
      <dl className={classes.facts}>
        <div>
          <dt>{t('key')}</dt>
          <dd className={classes.copyable}>
            <span className="kr-mono">{value.id}</span>
            <CopyIcon text={value.id} label={t('copyKey')} className={classes.copy ?? ''} />
          </dd>
        </div>
        <div>
          <dt>{t('may')}</dt>
          <dd>
            <KeyMay value={value} />
          </dd>
        </div>
        <div>
          <dt>{t('packages')}</dt>
          <dd>
            <PackagesCell value={value} />
          </dd>
        </div>
        <div>
          <dt>{t('expires')}</dt>
          <dd>
            <ExpiresCell value={value} />
          </dd>
        </div>
        <div>
          <dt>{t('lastUsed')}</dt>
          <dd>
            <LastUsedCell value={value} />
          </dd>
        </div>
      </dl>
    </article>
  );
}
