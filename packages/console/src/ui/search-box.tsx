import { CloseButton, Kbd, TextInput } from '@mantine/core';
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useWords } from '../i18n/words.tsx';
import classes from './search-box.module.css';
import { uiWords } from './ui.words.ts';

const SETTLE_MS = 250;

/** Top right of a list. Filters as one types; `/` jumps into it, Escape clears it. */
export function SearchBox(props: {
  readonly label: string;
  readonly value: string;
  readonly onSearch: (q: string) => void;
}) {
  const { label, value, onSearch } = props;
  const { t } = useWords(uiWords);
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const router = useRouter();
  const sent = useRef(new Set<string>());
  // Back and forward change the value from outside. What comes back of one's own typing is already in the field,
  // perhaps with more letters behind it by now.
  useEffect(() => {
    if (!sent.current.delete(value)) setText(value);
  }, [value]);
  const settle = useDebouncedCallback((q: string, pathname: string) => {
    // A search of the page that is being left would lead back to it.
    if (q === value || router.latestLocation.pathname !== pathname) return;
    sent.current.add(q);
    onSearch(q);
  }, SETTLE_MS);
  useHotkeys([['/', () => field.current?.focus()]]);
  const change = (next: string) => {
    setText(next);
    settle(next.trim(), router.latestLocation.pathname);
  };
  return (
    <TextInput
      ref={field}
      className={classes.box}
      type="search"
      maxLength={200}
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && text !== '') {
          event.preventDefault();
          change('');
        }
      }}
      leftSection={<IconSearch size={16} stroke={1.75} aria-hidden />}
      rightSection={
        text === '' ? (
          <Kbd size="xs" aria-hidden className={classes.hint}>
            /
          </Kbd>
        ) : (
          <CloseButton size="sm" aria-label={t('clearSearch')} onClick={() => change('')} />
        )
      }
    />
  );
}
