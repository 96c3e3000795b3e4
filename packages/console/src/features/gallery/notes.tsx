import type { Deprecation, GalleryVersion } from '@keyreeve/sdk';
import { Alert } from '@mantine/core';
import { IconAlertTriangle, IconArrowUp, IconEyeOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Rich, useWords } from '../../i18n/words.tsx';
import classes from './gallery.module.css';
import { galleryWords } from './gallery.words.ts';

const ICON = { size: 18, stroke: 1.75, 'aria-hidden': true } as const;

function PackageLink(props: {
  readonly id: string;
  readonly version: string | null;
  /** What stands between the marks of the sentence. */
  readonly children?: ReactNode;
}) {
  const { version, children } = props;
  const id = props.id.toLowerCase();
  const className = classes.link ?? '';
  return version === null ? (
    <Link to="/packages/$id" params={{ id }} className={className}>
      {children}
    </Link>
  ) : (
    <Link to="/packages/$id/$version" params={{ id, version }} className={className}>
      {children}
    </Link>
  );
}

export function DeprecationText({ value }: { readonly value: Deprecation }) {
  const { t } = useWords(galleryWords);
  const { reasons, message, alternatePackage } = value;
  return (
    <>
      <p>{[t('isDeprecated'), ...reasons.map((reason) => t(reason))].join(' ')}</p>
      {message !== null && (
        <p className={classes.lines}>
          <bdi>{message}</bdi>
        </p>
      )}
      {alternatePackage !== null && (
        <p>
          <Rich
            words={galleryWords}
            k="use"
            values={{ name: [alternatePackage.id, alternatePackage.version ?? ''].join(' ').trim() }}
            parts={{ a: <PackageLink {...alternatePackage} /> }}
          />
        </p>
      )}
    </>
  );
}

/** What somebody should know before he installs this version. */
export function VersionNotes({ value }: { readonly value: GalleryVersion }) {
  const { t } = useWords(galleryWords);
  const { deprecation, isListed, latestVersion, version, id } = value;
  const isOld = latestVersion !== null && latestVersion !== version;
  if (deprecation === null && isListed && !isOld) return null;
  return (
    <>
      {deprecation !== null && (
        <Alert color="amber" icon={<IconAlertTriangle {...ICON} />} className={classes.note ?? ''}>
          <DeprecationText value={deprecation} />
        </Alert>
      )}
      {!isListed && (
        <Alert color="gray" icon={<IconEyeOff {...ICON} />}>
          {t('isUnlisted')}
        </Alert>
      )}
      {isOld && !value.isPrerelease && (
        <Alert color="primary" icon={<IconArrowUp {...ICON} />}>
          <Rich
            words={galleryWords}
            k="latest"
            values={{ version: latestVersion }}
            parts={{ a: <PackageLink id={id} version={null} /> }}
          />
        </Alert>
      )}
    </>
  );
}
