import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import { consoleQuery } from '../../app/console-info.ts';
import { Mark } from '../../app/mark.tsx';
import { Preferences } from '../../app/preferences.tsx';
import { Banners } from '../../app/shell/banners.tsx';
import classes from './front-page.module.css';
import { Guilloche } from './guilloche.tsx';

/** The frame of the pages before the sign-in: whose server this is, one card, one line below. */
export function FrontPage(props: {
  readonly title: string;
  /** Below the title; the host of the server, unless told. */
  readonly subtitle?: string;
  readonly text?: string;
  readonly isWide?: boolean;
  readonly foot?: ReactNode;
  readonly children: ReactNode;
}) {
  const { title } = props;
  const { data } = useQuery(consoleQuery);
  const host = data === undefined ? '' : new URL(data.url).host;
  useEffect(() => {
    document.title = title.includes('Keyreeve') ? title : `${title} · Keyreeve`;
  }, [title]);
  return (
    <div className={classes.page}>
      <Guilloche />
      <header className={classes.top}>
        <Banners />
        <div className={classes.preferences}>
          <Preferences />
        </div>
      </header>
      <main className={classes.card} data-wide={props.isWide === true || undefined}>
        <div className={classes.mark}>
          <Mark size={40} />
        </div>
        <h1 className={classes.title}>{title}</h1>
        <p className={classes.subtitle}>{props.subtitle ?? host}</p>
        {props.text !== undefined && <p className={classes.text}>{props.text}</p>}
        {props.children}
      </main>
      {props.foot !== undefined && <footer className={classes.foot}>{props.foot}</footer>}
    </div>
  );
}
