import { type ReactNode, useId } from 'react';
import classes from './panel.module.css';

/** A framed part of a page with a title of its own. `isFlush` lets a table reach the frame. */
export function Panel(props: {
  readonly title: string;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={classes.panel} aria-labelledby={id}>
      <div className={classes.header}>
        <div className={classes.heading}>
          <h2 id={id} className={classes.title}>
            {props.title}
          </h2>
          {props.description !== undefined && <div className={classes.description}>{props.description}</div>}
        </div>
        {props.actions}
      </div>
      <div className={props.isFlush === true ? classes.flush : classes.body}>{props.children}</div>
    </section>
  );
}
