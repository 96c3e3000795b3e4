import type { GalleryVersion } from '@keyreeve/sdk';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { formatBytes, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { AccountMark } from '../../ui/account-mark.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Recent } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import classes from './gallery.module.css';
import { galleryWords } from './gallery.words.ts';
import { webAddress } from './web-address.ts';
import { WebLink } from './web-link.tsx';

function Fact(props: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function License({ value }: { readonly value: GalleryVersion }) {
  const { t } = useWords(galleryWords);
  const { licenseExpression, licenseFile, licenseUrl, requireLicenseAcceptance } = value;
  const address = webAddress(licenseUrl);
  return (
    <>
      {licenseExpression !== null && <bdi>{licenseExpression}</bdi>}
      {licenseFile !== null && <bdi>{t('licenseIn', { file: licenseFile })}</bdi>}
      {address !== null && (
        <div>
          <WebLink address={address} label={t('licenseLink')} />
        </div>
      )}
      {requireLicenseAcceptance && <div className="kr-dimmed kr-small">{t('licenseAccept')}</div>}
    </>
  );
}

function hostOf(address: string): string {
  return URL.parse(address)?.host ?? address;
}

/** The facts about a version that are short. */
export function FactsPanel({ value }: { readonly value: GalleryVersion }) {
  const { t, language } = useWords(galleryWords);
  const { projectUrl, repositoryUrl, licenseUrl, licenseExpression, licenseFile } = value;
  const hasLicense = licenseUrl !== null || licenseExpression !== null || licenseFile !== null;
  return (
    <Panel title={t('facts')}>
      <dl className={classes.facts}>
        <Fact name={t('downloadsAll')}>{formatNumber(value.totalDownloads, language)}</Fact>
        <Fact name={t('downloadsOne')}>{formatNumber(value.downloads, language)}</Fact>
        <Fact name={t('published')}>
          <Recent at={value.publishedAt} />
        </Fact>
        <Fact name={t('size')}>{formatBytes(value.sizeBytes, language)}</Fact>
        <Fact name={t('authors')}>
          <bdi>{value.authors}</bdi>
        </Fact>
        {hasLicense && (
          <Fact name={t('license')}>
            <License value={value} />
          </Fact>
        )}
        {projectUrl !== null && (
          <Fact name={t('project')}>
            <WebLink address={projectUrl} label={hostOf(projectUrl)} />
          </Fact>
        )}
        {repositoryUrl !== null && (
          <Fact name={t('source')}>
            <WebLink address={repositoryUrl} label={hostOf(repositoryUrl)} />
          </Fact>
        )}
        {value.copyright !== null && (
          <Fact name={t('copyright')}>
            <bdi>{value.copyright}</bdi>
          </Fact>
        )}
        {value.minClientVersion !== null && <Fact name={t('clientVersion')}>{value.minClientVersion}</Fact>}
        {value.tags.length > 0 && (
          <Fact name={t('tags')}>
            <Tags tags={value.tags} />
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

const TAGS_MAX = 30;

function Tags({ tags }: { readonly tags: readonly string[] }) {
  const { t } = useWords(galleryWords);
  return (
    <ul className={classes.tagList}>
      {tags.slice(0, TAGS_MAX).map((tag) => (
        <li key={tag}>
          <Link
            to="/packages"
            search={{ q: `tag:${tag}`, account: 'all' }}
            className={classes.tag ?? ''}
            aria-label={t('findTag', { tag })}
          >
            <bdi>{tag}</bdi>
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** Who owns it, by name. */
export function OwnerNames({ value }: { readonly value: GalleryVersion }) {
  const { t } = useWords(galleryWords);
  return (
    <Panel title={t('owners')}>
      {value.owners.length === 0 && <p className="kr-dimmed">{t('noOwners')}</p>}
      <ul className={classes.people}>
        {value.owners.map(({ displayName, kind }, index) => (
          <li key={`${displayName} ${String(index)}`} className={classes.person}>
            <AccountMark name={displayName} kind={kind} />
            <div className={classes.personText}>
              <Truncate text={displayName} />
              <span className="kr-small kr-dimmed">{t(kind === 'user' ? 'user' : 'service')}</span>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
