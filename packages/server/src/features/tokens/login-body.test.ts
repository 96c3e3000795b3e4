import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../errors/index.ts';
import { parseLoginBody } from './login-body.ts';

const API_KEY = 'kr_0123456789ABCDEF';
const SECRET_KEY = `${'s'.repeat(43)}AbC012`;
const FIELDS = { auth_mode: 'apikey', apikey: API_KEY, secretkey: SECRET_KEY } as const;

// What `curl --data` sends for the documented sample, to the byte.
const CURL_BODY = `{\n    "auth_mode": "apikey",\n    "apikey": "${API_KEY}",\n    "secretkey": "${SECRET_KEY}"\n}`;
const PYTHON_BODY = `auth_mode=apikey&apikey=${API_KEY}&secretkey=${SECRET_KEY}`;

function parse(text: string) {
  return parseLoginBody(Buffer.from(text));
}

function faultOf(body: string | Uint8Array): AppError {
  try {
    parseLoginBody(typeof body === 'string' ? Buffer.from(body) : body);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('The body was taken.');
}

describe('the body of a login', () => {
  it.each([
    ['the cURL sample', CURL_BODY],
    ['the Python sample', PYTHON_BODY],
    ['JSON with CRLF', CURL_BODY.replaceAll('\n', '\r\n')],
    ['JSON behind a byte order mark', `\uFEFF${CURL_BODY}`],
    ['JSON behind blanks and line ends', ` \r\n\t${CURL_BODY}\r\n`],
    ['a form behind a byte order mark', `\uFEFF${PYTHON_BODY}`],
    ['a form with a line end', `${PYTHON_BODY}\r\n`],
    ['JSON with unknown fields', CURL_BODY.replace('{', '{"remember": {"me": [1]},')],
    ['a form with unknown fields', `x=1&x=2&${PYTHON_BODY}`],
    ['JSON with app_id null', CURL_BODY.replace('{', '{"app_id": null,')],
  ])('is read from %s', (_name, body) => {
    expect(parse(body)).toEqual(FIELDS);
  });

  it('carries the app_id of old clients', () => {
    expect(parse(`${PYTHON_BODY}&app_id=forepaas`)).toEqual({ ...FIELDS, app_id: 'forepaas' });
  });

  it('means the same as JSON and as a form, with blanks around every value', () => {
    const blank = fc.constantFrom('', ' ', '\t', '\r\n', '\u00A0', '\u3000');
    const value = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((text) => text.trim() !== '' && text.isWellFormed());
    fc.assert(
      fc.property(value, value, blank, blank, (apikey, secretkey, before, after) => {
        const fields = {
          auth_mode: `${before}apikey${after}`,
          apikey: `${before}${apikey}`,
          secretkey: `${secretkey}${after}`,
        };
        const expected = { auth_mode: 'apikey', apikey: apikey.trim(), secretkey: secretkey.trim() };
        expect(parse(JSON.stringify(fields))).toEqual(expected);
        expect(parse(new URLSearchParams(fields).toString())).toEqual(expected);
      }),
    );
  });

  it('either is read or is refused with 400, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('', '{', '{"', 'apikey='),
        (bytes, start) => {
          expect(faultOf(Buffer.concat([Buffer.from(start), bytes])).status).toBe(400);
        },
      ),
    );
  });

  it.each([
    ['nothing at all', '', ['auth_mode', 'apikey', 'secretkey']],
    [
      'the unedited cURL sample',
      '{"auth_mode": "apikey", "apikey": "", "secretkey": ""}',
      ['apikey', 'secretkey'],
    ],
    ['the unedited Python sample', 'auth_mode=apikey&apikey=&secretkey=', ['apikey', 'secretkey']],
    ['a missing secret key', '{"auth_mode":"apikey","apikey":"a"}', ['secretkey']],
    ['a blank API key', 'auth_mode=apikey&apikey=+&secretkey=b', ['apikey']],
    ['a missing auth_mode', '{"apikey":"a","secretkey":"b"}', ['auth_mode']],
    ['another auth_mode', 'auth_mode=login&apikey=a&secretkey=b', ['auth_mode']],
    ['null', '{"auth_mode":"apikey","apikey":null,"secretkey":"b"}', ['apikey']],
    ['a number', '{"auth_mode":"apikey","apikey":1,"secretkey":"b"}', ['apikey']],
    [
      'a condition for another database',
      '{"auth_mode":"apikey","apikey":{"$gt":""},"secretkey":["b"]}',
      ['apikey', 'secretkey'],
    ],
    ['a boolean auth_mode', '{"auth_mode":true,"apikey":"a","secretkey":"b"}', ['auth_mode']],
    ['a field sent twice', `${PYTHON_BODY}&apikey=other`, ['apikey']],
    ['a number as app_id', '{"auth_mode":"apikey","apikey":"a","secretkey":"b","app_id":5}', ['app_id']],
  ])('is refused by name for %s', (_name, body, fields) => {
    const fault = faultOf(body);
    expect(fault.code).toBe('request.invalid');
    expect(fault.fields.map(({ field }) => field)).toEqual(fields);
    for (const field of fields) expect(fault.detail).toContain(field);
  });

  it.each([
    ['broken JSON', '{"auth_mode": "apikey",'],
    ['a member named twice', '{"auth_mode":"apikey","apikey":"a","apikey":"b","secretkey":"c"}'],
    [
      'a member that reaches into prototypes',
      '{"auth_mode":"apikey","apikey":"a","secretkey":"c","__proto__":{"x":1}}',
    ],
    ['nesting without end', `{"x":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('is refused for %s', (_name, body) => {
    expect(faultOf(body).code).toBe('request.malformed');
  });

  it('is refused when it is not UTF-8', () => {
    expect(faultOf(Buffer.from([0x7b, 0xff, 0xfe])).code).toBe('request.malformed');
  });

  it('never repeats a secret in its faults', () => {
    expect(JSON.stringify(faultOf(`${PYTHON_BODY}&secretkey=other`))).not.toContain(SECRET_KEY);
    expect(faultOf(`auth_mode=x&apikey=${API_KEY}&secretkey=${SECRET_KEY}`).message).not.toContain(
      SECRET_KEY,
    );
  });
});
