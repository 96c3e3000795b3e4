import type { NoticeKind, NoticePayloads } from '../../../jobs/index.ts';
import { note, paragraph, quoted } from './blocks.ts';
import { actorFacts } from './key-words.ja.ts';
import type { BodyWords, MailBody, MailWords, Telling } from './words.ts';

type PackageKind = Extract<NoticeKind, `package.${string}`>;
type Request = NoticePayloads['package.owner_requested'];
type Changed = NoticePayloads['package.owners_changed'];

function requested(payload: Request, telling: Telling): MailBody {
  const [name, account] = [quoted(payload.packageId), quoted(payload.accountName)];
  const ask =
    payload.fromName === null
      ? `${account} に、パッケージ「${name}」の所有者になってほしいという依頼がありました。`
      : `${account} に、パッケージ「${name}」を ${quoted(payload.fromName)} から引き継いでほしいという依頼がありました。`;
  return {
    opening: [paragraph(ask)],
    details: [
      {
        kind: 'facts',
        facts: [
          { label: 'パッケージ', value: payload.packageId },
          ...actorFacts(payload, telling, '依頼者'),
          { label: '回答期限', value: telling.at(payload.expiresAt) },
        ],
      },
      { kind: 'action', label: 'パッケージを確認する', url: payload.pageUrl },
      note('承諾するまでは何も変わりません。所有者は、パッケージの内容に責任を持つことになります。'),
      note(
        'お心当たりのないパッケージの場合は、辞退してください。回答がなければ、依頼は期限で無効になります。',
      ),
    ],
  };
}

function sentenceOf({ change, accountName, packageId, fromName }: Changed): string {
  const [name, account] = [quoted(packageId), quoted(accountName)];
  switch (change) {
    case 'added':
      return `${account} がパッケージ「${name}」の所有者になりました。`;
    case 'removed':
      return `${account} はパッケージ「${name}」の所有者ではなくなりました。このアカウントを所有者とするキーでは、プッシュできなくなっています。`;
    case 'transferred':
      return `パッケージ「${name}」が ${quoted(fromName ?? '')} から ${account} に引き継がれました。元の所有者のキーでは、プッシュできなくなっています。`;
    default:
      return `${account} がパッケージ「${name}」の所有者になることを辞退しました。所有者は変わっていません。`;
  }
}

function changed(payload: Changed, telling: Telling): MailBody {
  return {
    opening: [paragraph(sentenceOf(payload))],
    details: [
      {
        kind: 'facts',
        facts: [{ label: 'パッケージ', value: payload.packageId }, ...actorFacts(payload, telling)],
      },
      { kind: 'action', label: 'パッケージを確認する', url: payload.pageUrl },
      note('お心当たりがない場合は、管理者にお知らせください。'),
    ],
  };
}

export const JA_PACKAGE_SUBJECTS: Pick<MailWords['subjects'], PackageKind> = {
  'package.owner_requested': (name) => `[Keyreeve] パッケージ「${name}」の所有者になる依頼`,
  'package.owners_changed': (name) => `[Keyreeve] パッケージ「${name}」の所有者の変更`,
};

export const JA_PACKAGE_BODIES: BodyWords<PackageKind> = {
  'package.owner_requested': requested,
  'package.owners_changed': changed,
};
