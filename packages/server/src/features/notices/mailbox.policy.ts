import type { SessionPrincipal } from '../../http/index.ts';
import type { Notice } from '../../jobs/index.ts';

const MASK = '••••';

interface Addressed {
  readonly account_id: string | null;
}

/** Administrators see that there are mails to everybody, and how they fare; members those to themselves. */
export function isVisibleTo(principal: SessionPrincipal, mail: Addressed): boolean {
  return principal.account.role === 'admin' || isAddressee(principal, mail);
}

/** Only he reads what gives access. Mails to an address that is no account's have no addressee here. */
export function isAddressee(principal: SessionPrincipal, mail: Addressed): boolean {
  return mail.account_id !== null && mail.account_id === principal.account.id;
}

function maskLink(url: string): string {
  return url.replace(/#.*$/s, `#${MASK}`);
}

/**
 * The notice without what gives access: tokens of links (all behind `#`) and secret keys. It is masked before
 * it becomes a text, so that no template can let anything through.
 */
export function maskNotice(notice: Notice): Notice {
  if (notice.kind === 'key.delivery') {
    const { linkUrl, secretKey } = notice.payload;
    return {
      kind: notice.kind,
      payload: {
        ...notice.payload,
        linkUrl: linkUrl === null ? null : maskLink(linkUrl),
        secretKey: secretKey === null ? null : MASK,
      },
    };
  }
  if (notice.kind === 'account.invitation' || notice.kind === 'account.password_reset')
    return { ...notice, payload: { ...notice.payload, linkUrl: maskLink(notice.payload.linkUrl) } };
  return notice;
}
