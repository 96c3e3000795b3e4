import { median } from './harness/statistics.ts';
import { ADMIN, startBareServer, startKeyreeve } from './servers.ts';
import { type Load, measureRate } from './wrk.ts';

const ROUNDS = 5;
const SECONDS = 2;

interface Minted {
  readonly apiKey: string;
  readonly fullKey: string;
}

interface SignedIn {
  readonly account: { readonly id: string };
}

async function post(
  url: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<{ answer: unknown; cookie: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return {
    answer: await response.json(),
    cookie: (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '',
  };
}

/** A caller that may verify, and a key to ask about. */
async function seed(url: string): Promise<{ caller: Minted; subject: Minted; cookie: string }> {
  const { answer, cookie } = await post(`${url}/v1/session`, ADMIN, {});
  const { account } = answer as SignedIn;
  const mint = async (scopes: unknown) =>
    (
      await post(
        `${url}/v1/accounts/${account.id}/keys`,
        { comment: 'bench', access: 'scoped', scopes },
        { cookie },
      )
    ).answer as Minted;
  return {
    caller: await mint([{ actions: ['iam:keys:verify'], resources: ['*'] }]),
    subject: await mint([{ actions: ['package:push'], resources: ['Acme.*'] }]),
    cookie,
  };
}

/** No number counts before the server has shown that it decides: right, wrong, and revoked keys. */
async function checkCorrectness(url: string, cookie: string, caller: Minted): Promise<void> {
  const { account } = (await post(`${url}/v1/session`, ADMIN, {})).answer as SignedIn;
  const minted = await post(
    `${url}/v1/accounts/${account.id}/keys`,
    { comment: 'doomed', access: 'account' },
    { cookie },
  );
  const doomed = minted.answer as Minted;
  const ask = async () =>
    (
      (
        await post(
          `${url}/v1/keys/verify`,
          { key: doomed.fullKey },
          { authorization: `Bearer ${caller.fullKey}` },
        )
      ).answer as { code: string }
    ).code;
  if ((await ask()) !== 'valid') throw new Error('A live key was not valid.');
  await fetch(`${url}/v1/keys/${doomed.apiKey}`, { method: 'DELETE', headers: { cookie } });
  if ((await ask()) !== 'not_found') throw new Error('A deleted key was still taken.');
}

async function main(): Promise<void> {
  const [bare, ours] = [await startBareServer(), await startKeyreeve()];
  try {
    const { caller, subject, cookie } = await seed(ours.url);
    await checkCorrectness(ours.url, cookie, caller);
    const loads: Record<string, Load> = {
      'GET /v1/authorize': {
        method: 'GET',
        path: '/v1/authorize?action=package:push&resource=Acme.Tool',
        headers: { authorization: `Bearer ${subject.fullKey}` },
      },
      'POST /v1/keys/verify': {
        method: 'POST',
        path: '/v1/keys/verify',
        headers: { authorization: `Bearer ${caller.fullKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ key: subject.fullKey, action: 'package:push', resource: 'Acme.Tool' }),
      },
    };
    process.stdout.write(
      `${ROUNDS} rounds of ${SECONDS} s each, in turn; server on one core, wrk with 32 connections on the other; SQLite, synchronous=FULL\n\n`,
    );
    process.stdout.write('request                 ours/s   bare node:http/s   ratio (min to max)\n');
    for (const [name, load] of Object.entries(loads)) {
      const pairs: { ours: number; bare: number }[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        pairs.push({
          bare: await measureRate(bare.url, load, SECONDS),
          ours: await measureRate(ours.url, load, SECONDS),
        });
      }
      const ratios = pairs.map((pair) => pair.ours / pair.bare);
      const [rateOurs, rateBare] = [
        median(pairs.map((pair) => pair.ours)),
        median(pairs.map((pair) => pair.bare)),
      ];
      process.stdout.write(
        `${name.padEnd(22)} ${rateOurs.toFixed(0).padStart(7)} ${rateBare.toFixed(0).padStart(18)}   ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})\n`,
      );
    }
  } finally {
    await Promise.all([bare.stop(), ours.stop()]);
  }
}

await main();
