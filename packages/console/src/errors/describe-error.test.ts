import { KeyreeveError, KeyreeveTransportError, type Problem } from '@keyreeve/sdk';
import { describe, expect, test } from 'vitest';
import { describeError, isOutcomeUnknown } from './describe-error.ts';

function refusal(problem: Partial<Problem>, retryAfterSeconds: number | null = null): KeyreeveError {
  const whole = {
    type: 'https://keys.example.com/docs/errors/x',
    title: 'Title of the server',
    status: 400,
    detail: 'Detail of the server.',
    code: 'request.invalid',
    instance: '01K9T6M2WQ4Z',
    ...problem,
  };
  return new KeyreeveError(whole.status, whole, { retryAfterSeconds });
}

function fieldMessages(message: string): readonly (string | undefined)[] {
  const error = refusal({ errors: [{ field: 'comment', message }], detail: `comment ${message}.` });
  return [describeError(error, 'en').fields[0]?.message, describeError(error, 'ja').fields[0]?.message];
}

describe('a refusal of the server', () => {
  const tooMany = refusal({
    status: 409,
    code: 'key.too_many',
    detail:
      'The account has 50 live keys; the limit (maxKeysPerAccount) is 50. Delete keys that are no longer used.',
  });

  test('says what happened, what to do, what is special, and which request it was', () => {
    expect(describeError(tooMany, 'en')).toEqual({
      code: 'key.too_many',
      title: 'The account has too many keys.',
      remedy: 'Delete keys that are no longer used, or have the limit raised in the settings.',
      detail: 'The account has 50 live keys; the limit is 50. Delete keys that are no longer used.',
      requestId: '01K9T6M2WQ4Z',
      retryAfterSeconds: null,
      fields: [],
    });
  });

  test('says all of it in Japanese too', () => {
    expect(describeError(tooMany, 'ja')).toMatchObject({
      title: 'アカウントのキーが多すぎます。',
      detail:
        'アカウントには有効期限内のキーが50件あり、上限は50件です。使わなくなったキーを削除してください。',
    });
  });

  test('does not repeat the standing advice of the server beside our own', () => {
    const stale = refusal({
      code: 'request.precondition_failed',
      detail: 'Read the object again, look at what has changed, and repeat the edit with the new `ETag`.',
    });
    const last = refusal({
      code: 'account.last_admin',
      detail: 'Make another active user an administrator first.',
    });
    expect(describeError(stale, 'ja').detail).toBeNull();
    expect(describeError(last, 'en').detail).toBeNull();
  });

  test('does not repeat above the form what is said at its fields', () => {
    const errors = [
      { field: 'email', message: 'is required' },
      { field: 'displayName', message: 'is blank; write a name' },
    ];
    const joined = refusal({ errors, detail: 'email is required; displayName is blank; write a name' });
    const first = refusal({ errors, detail: 'email is required.' });
    const more = refusal({ errors, detail: '2 of 9 rows are faulty; nothing was imported.' });
    expect(describeError(joined, 'en').detail).toBeNull();
    expect(describeError(first, 'en').detail).toBeNull();
    expect(describeError(more, 'ja').detail).toBe(
      '9行のうち2行に誤りがあります。何もインポートされていません。',
    );
  });

  test('says when another try makes sense', () => {
    const throttled = refusal(
      { code: 'session.throttled', detail: 'There were too many failed tries. Try again in 30 seconds.' },
      30,
    );
    expect(describeError(throttled, 'ja')).toMatchObject({
      retryAfterSeconds: 30,
      detail: '失敗した試行が多すぎます。30秒後にもう一度お試しください。',
    });
  });

  test('shows the words of the server for a reason that it does not know', () => {
    expect(describeError(refusal({ detail: 'something new happened' }), 'ja').detail).toBe(
      'Something new happened.',
    );
  });

  test('lets a server with a newer code speak for itself', () => {
    expect(describeError(refusal({ code: 'key.brand_new' }), 'ja')).toMatchObject({
      code: 'key.brand_new',
      title: 'Title of the server.',
      remedy: 'Detail of the server.',
      detail: null,
    });
    expect(describeError(refusal({ code: 'toString' }), 'en').title).toBe('Title of the server.');
  });
});

describe('the fault of a field', () => {
  test.each([
    ['is longer than 128 characters', 'Is longer than 128 characters.', '128文字以内にしてください。'],
    ['must NOT have fewer than 1 characters', 'Must not be empty.', '入力してください。'],
    ['must be one of ["en","ja"]', 'Must be one of en, ja.', 'en、ja のいずれかを指定してください。'],
    [
      'must match format "email" or must be null',
      'Must be an e-mail address.',
      'メールアドレスの形で入力してください。',
    ],
    [
      'must NOT have duplicate items (items ## 1 and 0 are identical)',
      'Must not name anything twice.',
      '同じものが重複しています。',
    ],
    [
      'must match pattern "^https?://" or must be null',
      'Does not have the expected form.',
      '形が正しくありません。',
    ],
    [
      'must be string or must be integer',
      'Must be a text. Or: Must be a whole number.',
      '文字列を指定してください。または、整数を指定してください。',
    ],
    ['must be <= 3650', 'Must be 3650 or less.', '3650以下にしてください。'],
    [
      '"Hayama.Dát*" may contain only A-Z, a-z, 0-9, _, ., - and *',
      '"Hayama.Dát*" may contain only A-Z, a-z, 0-9, _, ., - and *.',
      '「Hayama.Dát*」に使えない文字があります。英数字、ピリオド、ハイフン、下線、* を使ってください。',
    ],
    [
      'package:push and package:pushnew exclude each other; package:push is both new packages and new versions',
      'package:push and package:pushnew exclude each other; package:push is both new packages and new versions.',
      'package:push、package:pushnewは同時に指定できません。package:push は新しいパッケージと新しいバージョンの両方を含みます。',
    ],
    [
      'acc_1 is not an active user of this workspace',
      'acc_1 is not an active user of this workspace.',
      'acc_1 は、このワークスペースの有効なユーザーではありません。',
    ],
    // The rows of an import are refused with the reason that a single key would be refused with.
    [
      'The account is not granted package:push on Acme.*.',
      'The account is not granted package:push on Acme.*.',
      'このアカウントには、Acme.* に対する package:push が許可されていません。',
    ],
    ['was eaten by the dog', 'Was eaten by the dog.', 'Was eaten by the dog.'],
    ['$1 $2 is odd', '$1 $2 is odd.', '$1 $2 is odd.'],
  ])('is a sentence in both languages: %s', (message, en, ja) => {
    expect(fieldMessages(message)).toEqual([en, ja]);
  });

  test('shows a text of the user as it is, whatever stands in it', () => {
    const [, ja] = fieldMessages('"$2$&<b>\n" is longer than 128 characters');
    expect(ja).toBe('「$2$&<b>\n」は128文字を超えています。');
  });

  test('keeps the spelling of the API, so that a form finds its field', () => {
    const error = refusal({ errors: [{ field: 'scopes[0].resources[2]', message: 'is required' }] });
    expect(describeError(error, 'ja').fields).toEqual([
      { field: 'scopes[0].resources[2]', message: '必須です。' },
    ]);
  });
});

describe('a password that is refused', () => {
  test('is told why, in Japanese', () => {
    const weak = refusal({
      code: 'account.password_weak',
      detail:
        'The password is little more than widely known passwords, runs like 1234, qwerty or a year. Add something unrelated: a few more words will do.',
    });
    expect(describeError(weak, 'ja').detail).toBe(
      'パスワードのほとんどが、よく知られたパスワード、1234やqwerty、年号のような並びです。関係のない単語をいくつか加えてください。',
    );
  });
});

describe('what is no refusal of the server', () => {
  test.each(['client.timeout', 'client.unreachable', 'client.malformed_answer'] as const)(
    '%s has words of its own',
    (code) => {
      const error = new KeyreeveTransportError(code, 'https://keys.example.com: secret reasons');
      expect(describeError(error, 'en')).toMatchObject({ code, detail: null, requestId: null, fields: [] });
      expect(describeError(error, 'ja').title).toMatch(/。$/);
    },
  );

  test('an answer of something between says its status', () => {
    const detail =
      'The server answered 502 without saying why; perhaps a proxy did, or it is not a Keyreeve server.';
    expect(describeError(new KeyreeveError(502, null, { detail }), 'ja')).toMatchObject({
      code: 'client.unexpected_answer',
      detail:
        'サーバーは理由を示さずに502を返しました。プロキシの応答か、Keyreeveサーバーではない可能性があります。',
    });
  });

  test.each([new TypeError('x is not a function'), 'text', null, undefined, { code: 'key.too_many' }])(
    'a fault of the page shows nothing of its inside: %o',
    (error) => {
      expect(describeError(error, 'en')).toEqual({
        code: 'client.unexpected',
        title: 'The console made a mistake.',
        remedy: 'Reload the page. If it happens again, tell your administrator.',
        detail: null,
        requestId: null,
        retryAfterSeconds: null,
        fields: [],
      });
    },
  );
});

test('a change may have been made when no answer of the server came back, and only then', () => {
  const lost = [
    new KeyreeveTransportError('client.timeout', 'silent'),
    new KeyreeveTransportError('client.unreachable', 'cut off'),
    new KeyreeveError(504, null),
  ];
  expect(lost.map(isOutcomeUnknown)).toEqual([true, true, true]);
  expect(isOutcomeUnknown(refusal({ status: 500, code: 'request.outcome_unknown' }))).toBe(true);
  expect(isOutcomeUnknown(refusal({ status: 503, code: 'request.unavailable' }))).toBe(false);
  expect(isOutcomeUnknown(new TypeError('ours'))).toBe(false);
});
