import { IconCircleCheck, IconCircleMinus } from '@tabler/icons-react';
import { useWords } from '../i18n/words.tsx';
import classes from './key-state.module.css';
import { keyStateWords } from './key-state.words.ts';

export function AccountState(props: { readonly state: 'active' | 'disabled' }) {
  const { t } = useWords(keyStateWords);
  const isActive = props.state === 'active';
  return (
    <span className={classes.state}>
      {isActive ? (
        <IconCircleCheck size={16} stroke={1.75} aria-hidden className="kr-green" />
      ) : (
        <IconCircleMinus size={16} stroke={1.75} aria-hidden className="kr-dimmed" />
      )}
      {isActive ? t('active') : t('disabled')}
    </span>
  );
}
