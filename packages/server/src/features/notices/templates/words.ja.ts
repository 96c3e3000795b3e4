import type { NoticePayloads, NoticeRequest } from '../../../jobs/index.ts';
import { note, paragraph, quoted } from './blocks.ts';
import { actorFacts, JA_KEY_BODIES, JA_KEY_SUBJECTS, oldSecret } from './key-words.ja.ts';
import { JA_PACKAGE_BODIES, JA_PACKAGE_SUBJECTS } from './package-words.ja.ts';
import type { MailBody, MailContext, MailWords, Telling } from './words.ts';

function keyDelivery(payload: NoticePayloads['key.delivery'], telling: Telling): MailBody {
  const { at } = telling;
  const { change } = payload;
  const secretFact =
    payload.secretKey === null ? [] : [{ label: 'シークレットキー', value: payload.secretKey, isCode: true }];
  const facts = [
    { label: 'アカウント', value: payload.accountName },
    { label: 'APIキー', value: payload.keyId, isCode: true },
    ...secretFact,
    { label: 'コメント', value: payload.comment },
    { label: '有効期限', value: payload.expiresAt === null ? '期限なし' : at(payload.expiresAt) },
    ...(change === undefined ? [] : actorFacts(change, telling)),
  ];
  const old = change?.kind === 'regenerated' ? [oldSecret(change.oldWorksUntil, telling)] : [];
  const opening = [paragraph(`アカウント「${quoted(payload.accountName)}」のAPIキーをお知らせします。`)];
  if (payload.secretKey !== null) {
    return {
      opening,
      details: [
        { kind: 'facts', facts },
        ...old,
        paragraph(
          'APIキーとシークレットキーは組み合わせて使います。シークレットキーを再度表示することはできません。',
        ),
        paragraph(
          'シークレットキーはパスワードと同じように大切に扱ってください。シークレットマネージャーなどに保存したあと、このメールを削除することをおすすめします。',
        ),
        note('このキーにお心当たりがない場合は、使用せずに管理者へご連絡ください。'),
      ],
    };
  }
  return {
    opening,
    details: [
      { kind: 'facts', facts },
      ...old,
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
    ],
  };
}

function invitation(payload: NoticePayloads['account.invitation'], telling: Telling): MailBody {
  const { at, workspaceUrl } = telling;
  const { request } = payload;
  return {
    opening: [
      paragraph(`${quoted(payload.accountName)} 様`),
      paragraph(
        `Keyreeve（${workspaceUrl}）に招待されました。次のページでパスワードを設定すると、サインインできるようになります。`,
      ),
    ],
    details: [
      ...(request === undefined
        ? []
        : [{ kind: 'facts', facts: actorFacts(request, telling, '招待者') } as const]),
      { kind: 'action', label: 'パスワードを設定', url: payload.linkUrl },
      paragraph(`リンクが使えるのは1回だけです。有効期限は${at(payload.linkExpiresAt)}です。`),
      note(
        'この招待にお心当たりがない場合は、お手数ですがこのメールを削除してください。何も変更されません。',
      ),
    ],
  };
}

/** Whoever has forgotten his password is not signed in: mostly there is an address alone. */
function requestFacts({ actor, at: ms }: NoticeRequest, { at }: Telling) {
  return [
    ...(actor.name === null ? [] : [{ label: '操作者', value: actor.name }]),
    ...(actor.ip === null ? [] : [{ label: 'IPアドレス', value: actor.ip, isCode: true }]),
    { label: '日時', value: at(ms) },
  ];
}

function passwordReset(payload: NoticePayloads['account.password_reset'], telling: Telling): MailBody {
  const { at } = telling;
  const { request } = payload;
  return {
    opening: [
      paragraph(`${quoted(payload.accountName)} 様`),
      paragraph('パスワード再設定のご依頼を受け付けました。次のページで新しいパスワードを設定してください。'),
    ],
    details: [
      ...(request === undefined ? [] : [{ kind: 'facts', facts: requestFacts(request, telling) } as const]),
      { kind: 'action', label: '新しいパスワードを設定', url: payload.linkUrl },
      paragraph(`リンクが使えるのは1回だけです。有効期限は${at(payload.linkExpiresAt)}です。`),
      note(
        'ご依頼にお心当たりがない場合は、お手数ですがこのメールを削除してください。現在のパスワードは変更されません。',
      ),
    ],
  };
}

function newPlace(payload: NoticePayloads['session.new_place'], { at }: Telling): MailBody {
  return {
    opening: [
      paragraph(`${quoted(payload.accountName)} 様`),
      paragraph(
        '過去90日間に使われていないネットワークまたはブラウザーから、お使いのアカウントにサインインがありました。',
      ),
    ],
    details: [
      {
        kind: 'facts',
        facts: [
          { label: '日時', value: at(payload.at) },
          { label: 'IPアドレス', value: payload.ip, isCode: true },
          { label: 'ブラウザー', value: payload.userAgent ?? '不明' },
        ],
      },
      paragraph('ご本人によるサインインであれば、何もする必要はありません。'),
      { kind: 'action', label: 'セッションを確認する', url: payload.pageUrl },
      paragraph(
        'お心当たりがない場合は、上のページでそのセッションを終了し、すぐにパスワードを変更してください。',
      ),
    ],
  };
}

function webhookDisabled(payload: NoticePayloads['webhook.disabled'], { at }: Telling): MailBody {
  const why =
    payload.reason === 'gone'
      ? '受信側から、送信先がなくなったことを示す応答（410 Gone）がありました。'
      : '3日間にわたって配信を再試行しましたが、すべて失敗しました。';
  const lastAnswer = payload.lastStatus === null ? 'なし' : `HTTP ${payload.lastStatus}`;
  return {
    opening: [
      paragraph(`${quoted(payload.host)} へのWebhookをKeyreeveが停止しました。${why}`),
      paragraph('送信先のプログラムには、キーの変更や期限切れが通知されなくなっています。'),
    ],
    details: [
      {
        kind: 'facts',
        facts: [
          { label: '送信先', value: payload.host, isCode: true },
          { label: '説明', value: payload.description === '' ? 'なし' : payload.description },
          { label: '日時', value: at(payload.at) },
          { label: '最後の応答', value: lastAnswer },
        ],
      },
      { kind: 'action', label: 'Webhookを確認する', url: payload.pageUrl },
      note('再開すると、新しいイベントから送信します。断念した配信は、1件ずつ再送できます。'),
    ],
  };
}

function footer(context: MailContext) {
  const contacts = [context.supportEmail, context.supportUrl].filter((contact) => contact !== null);
  const help =
    contacts.length === 0
      ? 'ご不明な点は管理者までお問い合わせください。'
      : `お問い合わせ先：${contacts.join('　')}`;
  return [note(`このメールはKeyreeve（${context.workspaceUrl}）から自動で送信しています。`), note(help)];
}

export const JA: MailWords = {
  subjects: {
    ...JA_KEY_SUBJECTS,
    ...JA_PACKAGE_SUBJECTS,
    'key.delivery': (name) => `[Keyreeve] 「${name}」のAPIキーのお知らせ`,
    'account.invitation': (name) => `[Keyreeve] ${name} 様へのご招待`,
    'account.password_reset': (name) => `[Keyreeve] ${name} 様のパスワード再設定のご案内`,
    'session.new_place': () => '[Keyreeve] 新しい場所からのサインイン',
    'webhook.disabled': (host) => `[Keyreeve] ${host} へのWebhookが停止されました`,
  },
  bodies: {
    ...JA_KEY_BODIES,
    ...JA_PACKAGE_BODIES,
    'key.delivery': keyDelivery,
    'account.invitation': invitation,
    'account.password_reset': passwordReset,
    'session.new_place': newPlace,
    'webhook.disabled': webhookDisabled,
  },
  footer,
};
