import { IconChevronRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import classes from './page.module.css';

interface Crumb {
  readonly label: string;
  readonly to: string;
}

/**
 * The frame of every page behind the sign-in: a sticky header with title, dimmed facts and, right, search, then
 * secondary actions, then the one primary action; the content below it.
 */
export function Page(props: {
  readonly title: string;
  /** Before the title: a picture of the thing. */
  readonly mark?: ReactNode;
  /** The page of the list that this thing belongs to. */
  readonly crumb?: Crumb;
  /** Dimmed facts beside the title: a count, an address. */
  readonly meta?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  const { title, crumb, meta, actions, children } = props;
  useEffect(() => {
    document.title = `${title} · Keyreeve`;
  }, [title]);
  return (
    <>
      <div className={classes.header}>
        <div className={classes.heading}>
          {crumb !== undefined && (
            <>
              <Link className={classes.crumb} to={crumb.to}>
                {crumb.label}
              </Link>
              <IconChevronRight size={16} stroke={1.75} aria-hidden className="kr-dimmed" />
            </>
          )}
          {props.mark}
          <h1 className={classes.title} title={title} data-truncate>
            <bdi>{title}</bdi>
          </h1>
          {meta !== undefined && <div className={classes.meta}>{meta}</div>}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </div>
      <div className={classes.content}>{children}</div>
    </>
  );
}
