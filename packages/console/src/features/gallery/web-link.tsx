import { IconExternalLink } from '@tabler/icons-react';
import classes from './gallery.module.css';
import { webAddress } from './web-address.ts';

/** A link that an author wrote. One that does not lead to the web is drawn as its text; no host is told who follows it. */
export function WebLink(props: { readonly address: string; readonly label: string }) {
  const address = webAddress(props.address);
  if (address === null) return <bdi>{props.label}</bdi>;
  return (
    <a
      className={classes.link}
      href={address}
      rel="noopener noreferrer nofollow ugc"
      target="_blank"
      title={address}
    >
      <bdi>{props.label}</bdi>
      <IconExternalLink size={12} stroke={2} aria-hidden className={classes.outside ?? ''} />
    </a>
  );
}
