import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Component, lazy, type ReactNode, Suspense, useLayoutEffect, useRef, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { Panel } from '../../ui/panel.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import classes from './gallery.module.css';
import { galleryWords } from './gallery.words.ts';
import { readmeQuery } from './gallery-queries.ts';

/** The reader of Markdown comes with the first readme and not with the console. */
const Markdown = lazy(async () => ({ default: (await import('./markdown.tsx')).Markdown }));

/** Below it come the versions; a long readme is folded, so that they are found. */
const FOLDED_HEIGHT = 420;

/** A text of somebody else that cannot be drawn takes no page with it: it is shown as it is. */
class AsItIs extends Component<
  { readonly text: string; readonly children: ReactNode },
  { isBroken: boolean }
> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    return (
      <pre className={classes.plainText} tabIndex={0}>
        {this.props.text}
      </pre>
    );
  }
}

function Folded(props: { readonly children: ReactNode }) {
  const { t } = useWords(galleryWords);
  const content = useRef<HTMLDivElement>(null);
  const [isLong, setLong] = useState(false);
  const [isOpen, setOpen] = useState(false);
  useLayoutEffect(() => {
    const element = content.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setLong(element.offsetHeight > FOLDED_HEIGHT));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const isFolded = isLong && !isOpen;
  return (
    <>
      <div
        className={isFolded ? classes.clamped : ''}
        // What is folded away is reached by the button and by nothing else.
        onFocus={(event) => {
          if (isFolded && event.target !== event.currentTarget) setOpen(true);
        }}
        {...(isFolded ? { 'data-truncate': true, title: t('readmeWhole') } : {})}
      >
        <div ref={content}>{props.children}</div>
      </div>
      {isLong && (
        <Button
          className={classes.unfold ?? ''}
          variant="default"
          size="xs"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? t('readmeLess') : t('readmeWhole')}
        </Button>
      )}
    </>
  );
}

export function ReadmePanel(props: { readonly id: string; readonly version: string }) {
  const { t } = useWords(galleryWords);
  const query = useQuery(readmeQuery(props.id, props.version));
  const { data } = query;
  return (
    <Panel title={t('readme')}>
      {query.isError && <LoadFailed error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <SkeletonRows rows={4} />}
      {data !== undefined && (
        <AsItIs key={props.version} text={data.text}>
          <Suspense fallback={<SkeletonRows rows={4} />}>
            <Folded>
              <Markdown text={data.text} />
              {data.isCut && <p className="kr-dimmed">{t('readmeCut')}</p>}
            </Folded>
          </Suspense>
        </AsItIs>
      )}
    </Panel>
  );
}
