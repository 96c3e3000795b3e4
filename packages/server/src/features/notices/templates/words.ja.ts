import type { NoticePayloads } from '../../../jobs/index.ts';
import { type Block, formatInstant, note, paragraph, plainLine } from './blocks.ts';
import type { MailContext, MailWords } from './words.ts';

const at = (ms: number): string => formatInstant(ms, 'ja');

function keyDelivery(payload: NoticePayloads['key.delivery']): readonly Block[] {
  const facts = [
    { label: 'アカウント', value: payload.accountName },
    { label: 'APIキー', value: payload.keyId, isCode: true },
    { label: 'コメント', value: payload.comment },
    { label: '有効期限', value: payload.expiresAt === null ? '期限なし' : at(payload.expiresAt) },
  ];
  const opening = paragraph(`アカウント「${plainLine(payload.accountName)}」のAPIキーをお知らせします。`);
  if (payload.secretKey !== null) {
    return [
      opening,
      {
        kind: 'facts',
        facts: [...facts, { label: 'シークレットキー', value: payload.secretKey, isCode: true }],
      },
      paragraph(
        'APIキーとシークレットキーは組み合わせて使います。シークレットキーを再度表示することはできません。',
      ),
      paragraph(
        'シークレットキーはパスワードと同じように大切に扱ってください。シークレットマネージャーなどに保存したあと、このメールを削除することをおすすめします。',
      ),
      note('このキーにお心当たりがない場合は、使用せずに管理者へご連絡ください。'),
    ];
  }
  return [
    opening,
    { kind: 'facts', facts },
    paragraph(
      '次のページを開き、「キーを表示」ボタンを1回押してください。APIキーとシークレットキーが表示されます。',
    ),
    { kind: 'action', label: 'ページを開く', url: payload.linkUrl ?? '' },
    paragraph(
      `ボタンが使えるのは1回だけです。${payload.linkExpiresAt === null ? '' : `リンクの有効期限は${at(payload.linkExpiresAt)}です。`}ページを開いただけでは使用済みになりません。`,
    ),
    note(
      'ご自身で表示した覚えがないのにリンクが使用済みになっている場合は、第三者にキーを見られたおそれがあります。すぐにキーの削除または再生成を行ってください。',
    ),
    note('このキーにお心当たりがない場合は、管理者へご連絡ください。'),
  ];
}

function invitation(payload: NoticePayloads['account.invitation'], context: MailContext): readonly Block[] {
  return [
    paragraph(`${plainLine(payload.accountName)} 様`),
    paragraph(
      `Keyreeve（${context.workspaceUrl}）に招待されました。次のページでパスワードを設定すると、サインインできるようになります。`,
    ),
    { kind: 'action', label: 'パスワードを設定', url: payload.linkUrl },
    paragraph(`リンクが使えるのは1回だけです。有効期限は${at(payload.linkExpiresAt)}です。`),
    note('この招待にお心当たりがない場合は、お手数ですがこのメールを削除してください。何も変更されません。'),
  ];
}

function passwordReset(payload: NoticePayloads['account.password_reset']): readonly Block[] {
  return [
    paragraph(`${plainLine(payload.accountName)} 様`),
    paragraph('パスワード再設定のご依頼を受け付けました。次のページで新しいパスワードを設定してください。'),
    { kind: 'action', label: '新しいパスワードを設定', url: payload.linkUrl },
    paragraph(`リンクが使えるのは1回だけです。有効期限は${at(payload.linkExpiresAt)}です。`),
    note(
      'ご依頼にお心当たりがない場合は、お手数ですがこのメールを削除してください。現在のパスワードは変更されません。',
    ),
  ];
}

function footer(context: MailContext): readonly Block[] {
  const contacts = [context.supportEmail, context.supportUrl].filter((contact) => contact !== null);
  const help =
    contacts.length === 0
      ? 'ご不明な点は管理者までお問い合わせください。'
      : `お問い合わせ先：${contacts.join('　')}`;
  return [note(`このメールはKeyreeve（${context.workspaceUrl}）から自動で送信しています。`), note(help)];
}

export const JA: MailWords = {
  subjects: {
    'key.delivery': (name) => `[Keyreeve] 「${name}」のAPIキーのお知らせ`,
    'account.invitation': (name) => `[Keyreeve] ${name} 様への招待`,
    'account.password_reset': (name) => `[Keyreeve] ${name} 様のパスワード再設定`,
  },
  bodies: {
    'key.delivery': keyDelivery,
    'account.invitation': invitation,
    'account.password_reset': passwordReset,
  },
  footer,
};
