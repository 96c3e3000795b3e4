import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { buildApp } from '@keyreeve/server';
import { type App, type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const DAY_MS = 86_400_000;
const PER_REQUEST = /^(?:date|x-request-id)$/;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answers at the beginning of what a connection has said, as far as they are whole. */
function parseAnswers(text: string): Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines
        .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])
        .filter(([name = '']) => !PER_REQUEST.test(name))
        // How much of a limit is left: both servers take from the same.
        .map(([name = '', value = '']) => [name, value.replace(/;(r|age-ms)=\d+/, ';$1=')]),
    ) as Record<string, string>;
    const status = Number(first.split(' ')[1]);
    const bytes = Number(headers['content-length'] ?? 0);
    const body = rest.slice(end + 4, end + 4 + bytes);
    if (body.length < bytes) return answers;
    const lasting = body.replace(/"instance":"[^"]*"/, '').replace(/"(remaining|ageMs)":\d+/g, '');
    // What counts down or up may have one digit more in one of two answers.
    const { 'content-length': _, ...others } = headers;
    answers.push({ status, headers: lasting === body ? headers : others, body: lasting });
    rest = rest.slice(end + 4 + bytes);
  }
}

/** Sends the pieces, each in a packet of its own, and reads so many answers, or all until the server hangs up. */
async function exchange(port: number, pieces: readonly string[], expected = 1): Promise<Answer[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.setEncoding('latin1').on('error', () => {});
  const isDone = new Promise<void>((resolve) => {
    socket.on('data', (data: string) => {
      text += data;
      if (parseAnswers(text).filter(({ status }) => status >= 200).length >= expected) resolve();
    });
    socket.on('close', () => resolve());
  });
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(piece, 'latin1');
    for (let turns = 0; turns < 5; turns += 1) await turn();
  }
  await isDone;
  socket.destroy();
  return parseAnswers(text);
}

describe.each([
  { lane: 'all', what: 'the lane on connections' },
  { lane: 'requests', what: 'the lane on requests that Node has read' },
] as const)('$what', ({ lane }) => {
  let harness: Harness;
  let company: Company;
  let fast: App;
  /** The same server, on the same database, without the lane. */
  let slow: App;
  let ports: { readonly fast: number; readonly slow: number };
  const keys: Record<string, string> = {};

  const mint = async (name: string, body: Record<string, unknown>): Promise<void> => {
    const url = `/v1/accounts/${company.member.id}/keys`;
    const answer = await call(harness, 'POST', url, {
      key: company.adminKey,
      body: { comment: name, access: 'account', ...body },
    });
    expect(answer.statusCode, answer.body).toBe(201);
    keys[name] = answer.json<{ fullKey: string }>().fullKey;
  };

  beforeAll(async () => {
    harness = await startHarness({ environment: { KEYREEVE_TRUST_PROXY: '127.0.0.1' } });
    company = await seedCompany(harness);
    fast = await buildApp(harness.deps, { lane });
    slow = await buildApp(harness.deps, { lane: 'none' });
    for (const app of [fast, slow]) await app.listen({ host: '127.0.0.1', port: 0 });
    const portOf = (app: App) => (app.server.address() as AddressInfo).port;
    ports = { fast: portOf(fast), slow: portOf(slow) };
    const grants = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
    await harness.deps.accounts.update(company.adminCaller, 'service', company.robot.id, { grants }, null);
    const verifier = await call(harness, 'POST', `/v1/accounts/${company.robot.id}/keys`, {
      key: company.adminKey,
      body: { comment: 'verifier', access: 'scoped', scopes: grants },
    });
    keys['verifier'] = verifier.json<{ fullKey: string }>().fullKey;
    await mint('all', {});
    await mint('scoped', {
      access: 'scoped',
      scopes: [
        { actions: ['package:read'], resources: ['*'] },
        { actions: ['package:push'], resources: ['Contoso.*'] },
      ],
    });
    await mint('limited', { limits: { rate: { requests: 1_000, windowSeconds: 60 }, quota: null } });
    await mint('spent', { limits: { rate: { requests: 1, windowSeconds: 60 }, quota: null } });
    await mint('counted', { limits: { rate: null, quota: { uses: 1_000, refill: null } } });
    await mint('elsewhere', { ipRanges: ['10.0.0.0/8'] });
    await mint('expired', { lifetimeDays: 1 });
    await mint('disabled', {});
    harness.clock.advance(DAY_MS);
    await mint('soon', { lifetimeDays: 1 });
    await call(harness, 'POST', `/v1/keys/${idOf('disabled')}/disable`, { key: company.adminKey, body: {} });
    const [all = '', scoped = ''] = [keys['all'], keys['scoped']];
    keys['wrong'] = `${idOf('all')}_${scoped.slice(-49)}`;
    keys['unknown'] = 'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
    await mint('stolen', {});
    await call(harness, 'POST', `/v1/keys/${idOf('stolen')}/regenerate`, { key: company.adminKey, body: {} });
    keys['spoiled'] = `${all.slice(0, -1)}${all.endsWith('x') ? 'y' : 'x'}`;
    keys['cut'] = all.slice(0, -1);
  });
  afterAll(async () => {
    await Promise.all([fast.close(), slow.close()]);
    await harness.close();
  });

  const idOf = (name: string): string => (keys[name] ?? '').slice(0, 19);
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const request = (first: string, lines: readonly string[], body = '') =>
    `${[first, ...lines].join('\r\n')}\r\n\r\n${body}`;
  const get = (query: string, lines: readonly string[]) =>
    request(`GET /v1/authorize${query} HTTP/1.1`, ['Host: localhost', ...lines]);
  const post = (body: string, lines: readonly string[] = [], key = keys['verifier'] ?? '') =>
    request(
      'POST /v1/keys/verify HTTP/1.1',
      [
        'Host: localhost',
        `Authorization: Bearer ${key}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        ...lines,
      ],
      body,
    );
  const bearer = (name: string) => `Authorization: Bearer ${keys[name]}`;
  const ask = (name: string, more: object = {}) => JSON.stringify({ key: keys[name], ...more });

  /** How many of these requests the lane answered itself. */
  const countLane = async (work: () => Promise<unknown>): Promise<number> => {
    const before = harness.logLines.length;
    await work();
    return harness.logLines
      .slice(before)
      .map((line) => JSON.parse(line) as { level: number; msg: string })
      .filter(({ level, msg }) => level === 20 && msg === 'request').length;
  };
  const expectSame = async (pieces: readonly string[], expected = 1): Promise<Answer[]> => {
    const [quick, other] = await Promise.all([
      exchange(ports.fast, pieces, expected),
      exchange(ports.slow, pieces, expected),
    ]);
    expect(quick, pieces.join('|')).toEqual(other);
    return quick;
  };
  /** The lane learns of hosts and settings, and on PostgreSQL of keys, from requests that it leaves to the routes. */
  const warm = async (text = get('', [bearer('all')])) => {
    for (let requests = 0; requests < 3; requests += 1) await exchange(ports.fast, [text]);
  };

  it('answers the plain case itself, to the byte as the routes do', async () => {
    await warm();
    const plain = [
      get('', [bearer('all')]),
      get('?action=package:push&resource=Contoso.Tools', [bearer('scoped')]),
      get('?action=package:push&resource=Contoso.%41', [bearer('scoped')]),
      get('?action=package:push&resource=Fabrikam', [bearer('scoped')]),
      get('?action=package:read', [bearer('scoped')]),
      get('', [`X-API-Key: ${keys['all']}`]),
      get('', [`x-nuget-apikey: ${keys['all']}`, 'Cookie: theme=dark', 'User-Agent: nuget']),
      get('', [`Authorization: ${basic(idOf('all'), (keys['all'] ?? '').slice(20))}`]),
      get('', [`Authorization: ${basic('anybody', keys['all'] ?? '')}`]),
      get('', [bearer('soon')]),
      get('', [bearer('all'), 'X-Forwarded-For: 192.0.2.1, 10.0.0.9', 'X-Forwarded-Proto: https']),
      get('', [bearer('elsewhere'), 'X-Forwarded-For: 10.0.0.9']),
      get('', [bearer('all'), 'X-Forwarded-Host: other.keys.test']),
      get('', [bearer('all'), 'Connection: close']),
      post(ask('all')),
      post(ask('scoped', { action: 'package:push', resource: 'contoso.tools' })),
      post(ask('scoped', { action: 'package:push', resource: 'Fabrikam' })),
      post(ask('elsewhere', { ip: '10.1.2.3' })),
      post(`{ "action": "package:read", "key": "${keys['scoped']}" }`.replace('{ ', '{').replace(' }', '}')),
      get('?action=package:read', [bearer('limited')]),
      get('?action=iam:settings:write', [bearer('limited')]),
      get('', [bearer('spent')]),
      post(ask('limited', { action: 'package:read' })),
      post(ask('limited', { action: 'iam:settings:write' })),
      post(ask('spent', { action: 'package:read' })),
      post(ask('spoiled')),
      post(ask('stolen')),
      // PostgreSQL must be asked, for which the lane does not wait.
      ...(harness.database.url === null ? [post(ask('unknown'))] : []),
    ];
    for (const text of plain) {
      await warm(text);
      expect(await countLane(() => expectSame([text])), text).toBe(1);
    }
  });

  it('leaves what is not plain to the routes', async () => {
    const odd = [
      get('', []),
      get('?action=', [bearer('all')]),
      get('?acton=package:push', [bearer('all')]),
      get('?action=package:push&action=package:read', [bearer('all')]),
      get('?action=package:push&resource=a%20b', [bearer('all')]),
      get('?action=package:push&resource=%ff', [bearer('all')]),
      get('?action=package:push&resource=%00', [bearer('all')]),
      get('/', [bearer('all')]),
      get('', [bearer('all'), bearer('all')]),
      get('', [bearer('all'), `X-API-Key: ${keys['all']}`]),
      get('', [bearer('all'), `X-API-Key: ${keys['scoped']}`]),
      get('', [bearer('all'), 'Host: localhost']),
      get('', [bearer('all'), 'Cookie: a=1', 'Cookie: b=2']),
      get('', [bearer('all'), 'Expect: 100-continue']),
      get('', [bearer('all'), 'Upgrade: websocket', 'Connection: Upgrade']),
      get('', [bearer('all'), `X-Long: ${'x'.repeat(20_000)}`]),
      get('', ['Authorization: Digest x']),
      ...['wrong', 'unknown', 'cut', 'expired', 'disabled', 'elsewhere', 'counted'].map((name) =>
        get('', [bearer(name)]),
      ),
      request('GET /v1/authorize HTTP/1.0', ['Host: localhost', bearer('all')]),
      request('GET /v1/authorize HTTP/1.1', [bearer('all')]),
      request('GET /v1/authorize HTTP/1.1', ['Host: nobody.example', bearer('all')]),
      request('HEAD /v1/authorize HTTP/1.1', ['Host: localhost', bearer('all'), 'Connection: close']),
      ...['cut', 'expired', 'disabled', 'elsewhere', 'counted'].map((name) => post(ask(name))),
      post(`\xef\xbb\xbf${ask('all')}`),
      post(`{"key":"${keys['all']}","key":"x"}`),
      post('{"key":1}'),
      post('{"key"'),
      post(''),
      post(ask('all', { acton: 'a:b' })),
      post(ask('all'), [], keys['all']),
      post(ask('all'), [], keys['wrong']),
      post(ask('all'), ['Expect: 100-continue']),
      post(ask('all'), ['X-Forwarded-Host: localhost']).replace('Host: localhost\r\n', ''),
      request(
        'POST /v1/keys/verify HTTP/1.1',
        [
          'Host: localhost',
          bearer('verifier'),
          'Content-Type: application/json',
          'Transfer-Encoding: chunked',
        ],
        `${ask('all').length.toString(16)}\r\n${ask('all')}\r\n0\r\n\r\n`,
      ),
    ];
    await warm();
    const count = await countLane(async () => {
      for (const text of odd) await expectSame([text]);
    });
    expect(count).toBe(0);
  });

  it('leaves a body that is announced and not there to the routes, which end the connection', async () => {
    await warm();
    const head = request('GET /v1/authorize HTTP/1.1', [
      'Host: localhost',
      bearer('all'),
      'Content-Length: 1',
    ]);
    const [answer] = await expectSame([head]);
    expect(answer?.headers['connection']).toBe('close');
  });

  it('takes a body that comes later, or in pieces, as if it had not looked', async () => {
    const text = post(ask('all'));
    const head = text.indexOf('\r\n\r\n') + 4;
    for (const cut of [10, head, head + 1, text.length - 1]) {
      const [answer] = await expectSame([text.slice(0, cut), text.slice(cut)]);
      expect(answer?.status).toBe(200);
    }
  });

  it('answers requests that come at once in their order, plain or not', async () => {
    await warm();
    const texts = [
      get('', [bearer('all')]),
      get('', [bearer('wrong')]),
      post(ask('scoped')),
      post(ask('unknown')),
      get('?action=package:push', [bearer('scoped')]),
      get('', [bearer('soon')]),
    ];
    const answers = await expectSame([texts.join('')], texts.length);
    expect(answers.map(({ status }) => status)).toEqual([204, 401, 200, 200, 403, 204]);
  });

  it('says the same as the routes, whatever is asked', async () => {
    await warm();
    const names = fc.constantFrom(...Object.keys(keys));
    const lines = fc.array(
      fc.oneof(
        names.map((name) => `Authorization: bearer ${keys[name]}`),
        names.map((name) => `X-API-Key: ${keys[name]}`),
        names.map((name) => `Authorization: ${basic(idOf(name), (keys[name] ?? '').slice(20))}`),
        fc.constantFrom(
          'Cookie: keyreeve_session=x',
          'Sec-Fetch-Site: cross-site',
          'Accept-Version: 2',
          'X-Forwarded-For: 10.0.0.1',
          'X-Forwarded-For: nonsense, 10.0.0.1',
          'X-Forwarded-Host: localhost, nobody.example',
          'X-Forwarded-Proto: http,https',
          'Content-Type: text/plain',
          'Connection: close',
          'Accept: text/html',
        ),
      ),
      { maxLength: 3 },
    );
    const queries = fc.oneof(
      fc.constantFrom(
        '',
        '?',
        '?action=package:push&resource=Contoso.A',
        '?action=iam:keys:write',
        '?action',
      ),
      fc
        .string({ maxLength: 12 })
        .map((text) => `?action=package:read&resource=${encodeURI(text.toWellFormed())}`),
      fc.stringMatching(/^[!-~]{0,8}$/).map((text) => `?action=package:push&resource=${text}`),
    );
    const bodies = fc.oneof(
      fc
        .tuple(names, fc.stringMatching(/^[ -~]{0,6}$/))
        .map(([name, resource]) => ask(name, { action: 'package:push', resource })),
      names.map((name) => `{"key": "${keys[name]}", "ip": "10.0.0.1"}`),
      names.map((name) => `{"ip":"10.0.0.300","key":"${keys[name]}"}`),
      fc.stringMatching(/^[{}":, a-z]{0,12}$/),
    );
    await fc.assert(
      fc.asyncProperty(fc.boolean(), lines, queries, bodies, async (isPost, more, query, body) => {
        await expectSame([isPost ? post(body, more) : get(query, more)]);
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('counts a use as the routes do, of the caller and of the key that he asks about, and what is no key', async () => {
    await warm();
    const { usage, defaultWorkspace } = harness.deps;
    const countsOf = async () => {
      await usage.flush();
      const lists = await Promise.all(
        ['verifier', 'scoped'].map((name) =>
          usage.listHours(defaultWorkspace.id, idOf(name), harness.clock.now()),
        ),
      );
      const sums = await harness.deps.storage.usage
        .selectFrom('workspace_hours')
        .select(['outcome', 'count'])
        .where('workspace_id', '=', defaultWorkspace.id)
        .orderBy('outcome')
        .orderBy('hour')
        .execute();
      return [...lists, sums].flatMap((hours) =>
        hours.map(({ outcome, count }) => [outcome, count] as const),
      );
    };
    const texts = [
      get('?action=package:push&resource=Contoso.A', [bearer('scoped')]),
      get('?action=package:push&resource=Fabrikam', [bearer('scoped')]),
      post(ask('scoped', { action: 'package:push', resource: 'Contoso.A' })),
      post(ask('scoped', { action: 'package:push', resource: 'Fabrikam' })),
      post(ask('stolen')),
      post(ask('spoiled')),
    ];
    await exchange(ports.slow, [texts.at(-1) ?? '']);
    await exchange(ports.slow, [texts.at(-2) ?? '']);
    const deltas: unknown[] = [];
    for (const port of [ports.fast, ports.slow]) {
      const before = await countsOf();
      for (const text of texts) await exchange(port, [text]);
      const after = await countsOf();
      deltas.push(after.map(([outcome, count], index) => [outcome, count - (before[index]?.[1] ?? 0)]));
    }
    expect(deltas[0]).toEqual(deltas[1]);
    expect(JSON.stringify(deltas[0])).toContain('["malformed",1]');
  });

  it('lets nobody pass by a key that was revoked a moment ago', async () => {
    await mint('doomed', {});
    const text = get('', [bearer('doomed')]);
    await warm(text);
    expect(await countLane(() => exchange(ports.fast, [text]))).toBe(1);
    await harness.deps.keys.disable(company.adminCaller, idOf('doomed'), null);
    expect((await exchange(ports.fast, [text]))[0]?.status).toBe(401);
  });
});
