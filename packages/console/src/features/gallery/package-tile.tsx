import { IconFileCode, IconPackage, IconTerminal2 } from '@tabler/icons-react';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { galleryWords } from './gallery.words.ts';
import classes from './package-tile.module.css';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;
const KIND_ICONS = { package: IconPackage, module: IconTerminal2, script: IconFileCode } as const;
const KIND_WORDS = { package: 'kindPackage', module: 'kindModule', script: 'kindScript' } as const;

interface PackageTileProps {
  readonly id: string;
  /** Whose icon is shown; null: that of its kind. */
  readonly iconVersion: string | null;
  readonly kind: keyof typeof KIND_ICONS;
}

/** Where this server gives out the icon of a version: the file of the package, never an address that an author wrote. */
function iconAddress(id: string, version: string): string {
  return `/v3/flat/${encodeURIComponent(id.toLowerCase())}/${encodeURIComponent(version.toLowerCase())}/icon`;
}

/** The picture of a package, or of its kind where it has none that a browser draws. */
export function PackageTile({ id, iconVersion, kind }: PackageTileProps) {
  const { t } = useWords(galleryWords);
  const [failed, setFailed] = useState<string | null>(null);
  const address = iconVersion === null ? null : iconAddress(id, iconVersion);
  const Icon = KIND_ICONS[kind];
  return (
    <span className={classes.tile}>
      {address === null || address === failed ? (
        <Icon {...ICON} />
      ) : (
        <img
          className={classes.picture}
          src={address}
          alt=""
          width={32}
          height={32}
          loading="lazy"
          decoding="async"
          onError={() => setFailed(address)}
        />
      )}
      <span className="kr-visually-hidden">{t(KIND_WORDS[kind])}</span>
    </span>
  );
}
