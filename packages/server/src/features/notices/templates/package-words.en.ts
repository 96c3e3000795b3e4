import type { NoticeKind, NoticePayloads } from '../../../jobs/index.ts';
import { note, paragraph, quoted } from './blocks.ts';
import { actorFacts } from './key-words.en.ts';
import type { BodyWords, MailBody, MailWords, Telling } from './words.ts';

type PackageKind = Extract<NoticeKind, `package.${string}`>;
type Request = NoticePayloads['package.owner_requested'];
type Changed = NoticePayloads['package.owners_changed'];

function requested(payload: Request, telling: Telling): MailBody {
  const [name, account] = [quoted(payload.packageId), quoted(payload.accountName)];
  const ask =
    payload.fromName === null
      ? `${account} is asked to become an owner of the package “${name}”.`
      : `${account} is asked to take over the package “${name}” from ${quoted(payload.fromName)}.`;
  return {
    opening: [paragraph(ask)],
    details: [
      {
        kind: 'facts',
        facts: [
          { label: 'Package', value: payload.packageId },
          ...actorFacts(payload, telling, 'Asked by'),
          { label: 'Answer until', value: telling.at(payload.expiresAt) },
        ],
      },
      { kind: 'action', label: 'See the package', url: payload.pageUrl },
      note('Nothing changes until the request is accepted. An owner answers for what the package does.'),
      note('If you do not know the package, decline; or do nothing, and the request runs out.'),
    ],
  };
}

function sentenceOf({ change, accountName, packageId, fromName }: Changed): string {
  const [name, account] = [quoted(packageId), quoted(accountName)];
  switch (change) {
    case 'added':
      return `${account} is now an owner of the package “${name}”.`;
    case 'removed':
      return `${account} is no longer an owner of the package “${name}”. Keys that act for it push it no more.`;
    case 'transferred':
      return `The package “${name}” was handed over from ${quoted(fromName ?? '')} to ${account}. Keys that act for the former owner push it no more.`;
    default:
      return `${account} does not want to own the package “${name}”. Its owners stay as they are.`;
  }
}

function changed(payload: Changed, telling: Telling): MailBody {
  return {
    opening: [paragraph(sentenceOf(payload))],
    details: [
      {
        kind: 'facts',
        facts: [{ label: 'Package', value: payload.packageId }, ...actorFacts(payload, telling)],
      },
      { kind: 'action', label: 'See the package', url: payload.pageUrl },
      note('If this is not as it should be, tell your administrator.'),
    ],
  };
}

export const EN_PACKAGE_SUBJECTS: Pick<MailWords['subjects'], PackageKind> = {
  'package.owner_requested': (name) => `[Keyreeve] Request to own the package ${name}`,
  'package.owners_changed': (name) => `[Keyreeve] Owners of the package ${name}`,
};

export const EN_PACKAGE_BODIES: BodyWords<PackageKind> = {
  'package.owner_requested': requested,
  'package.owners_changed': changed,
};
