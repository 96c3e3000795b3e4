import { IconLock, IconLockOff } from '@tabler/icons-react';
import { useLayoutEffect, useRef } from 'react';
import classes from './sealed.module.css';
import { readLine, type SecretBox, type SecretKind } from './secret-box.ts';

/** Stands where a secret would: its value is nowhere in the page. `isGone` shows the seal broken and empty. */
export function SealedStrip(props: { readonly text: string; readonly isGone?: boolean }) {
  const isGone = props.isGone === true;
  const Icon = isGone ? IconLockOff : IconLock;
  return (
    <span className={isGone ? `${classes.strip} ${classes.broken}` : classes.strip}>
      <span className={classes.words}>
        <Icon size={14} stroke={1.75} aria-hidden />
        {props.text}
      </span>
    </span>
  );
}

/** The same in a line of code. */
export function SealedChip(props: { readonly text: string }) {
  return (
    <span className={classes.chip}>
      <span className={classes.words}>
        <IconLock size={12} stroke={1.75} aria-hidden />
        {props.text}
      </span>
    </span>
  );
}

/** True when all of a text is marked: a part of a secret is worth nothing. No copy of it is made for comparing. */
function isAllSelected(element: HTMLElement): boolean {
  const selection = document.getSelection();
  const text = element.firstChild;
  if (selection === null || selection.rangeCount === 0 || text === null) return false;
  const [marked, all] = [selection.getRangeAt(0), document.createRange()];
  all.selectNodeContents(text);
  const isFromStart = marked.compareBoundaryPoints(Range.START_TO_START, all) <= 0;
  return isFromStart && marked.compareBoundaryPoints(Range.END_TO_END, all) >= 0;
}

/**
 * The value itself, on request. It is written into the element past React, which would keep it in its tree, and
 * taken out again when the element goes.
 */
export function RevealedSecret(props: {
  readonly box: SecretBox;
  readonly kind: SecretKind;
  /** Of a secret of several lines only this one, from 0. */
  readonly line?: number;
  /** The person has selected all of it and copied it. */
  readonly onCopy: () => void;
}) {
  const { box, kind, line, onCopy } = props;
  const place = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const element = place.current;
    if (element !== null) element.textContent = line === undefined ? box.read(kind) : readLine(box, line);
    return () => {
      if (element !== null) element.textContent = '';
    };
  }, [box, kind, line]);
  const noteCopy = () => {
    if (place.current !== null && isAllSelected(place.current)) onCopy();
  };
  return <code ref={place} className={classes.revealed} translate="no" onCopy={noteCopy} />;
}
