import { Buffer } from 'node:buffer';
import type { Account, Caller } from '@keyreeve/server';
import { type Company, seedCompany } from './company.ts';
import type { App, Harness } from './harness.ts';
import { buildNupkg } from './nupkg-builder.ts';

type Answer = Awaited<ReturnType<App['inject']>>;

export interface KeyWish {
  /** Left out, the key has the access of its account. */
  readonly actions?: readonly string[];
  readonly resources?: readonly string[];
  readonly ownerId?: string;
  readonly lifetimeDays?: number;
}

/** A company that publishes packages, and the requests that package clients send. */
export interface Gallery extends Company {
  readonly keys: { readonly push: string; readonly pushVersion: string; readonly unlist: string };
  makeKey(by: Caller, account: Account, wish?: KeyWish): Promise<string>;
  push(key: string | null, body: Uint8Array, options?: PushOptions): Promise<Answer>;
  /** Makes and pushes a small package. */
  publish(key: string, id: string, version?: string): Promise<Answer>;
  send(
    method: 'DELETE' | 'POST' | 'GET' | 'HEAD',
    url: string,
    key?: string | null,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

export interface PushOptions {
  readonly method?: 'PUT' | 'POST';
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly app?: App;
}

/** `keys` are of `member`: push, pushversion and unlist on `Acme.*`, one each. */
export async function seedGallery(harness: Harness): Promise<Gallery> {
  const company = await seedCompany(harness);
  const makeKey: Gallery['makeKey'] = async (by, account, { actions, resources = ['*'], ...rest } = {}) => {
    const common = { comment: 'test', ...rest };
    const input =
      actions === undefined
        ? { ...common, access: 'account' as const }
        : { ...common, access: 'scoped' as const, scopes: [{ actions, resources }] };
    return (await harness.deps.keys.create(by, account.id, input)).fullKey.reveal();
  };
  const ofMember = (action: string) =>
    makeKey(company.memberCaller, company.member, { actions: [action], resources: ['Acme.*'] });
  const push: Gallery['push'] = async (key, body, options = {}) =>
    await (options.app ?? harness.app).inject({
      method: options.method ?? 'PUT',
      url: options.url ?? '/api/v2/package/',
      headers: {
        host: 'localhost:8080',
        ...(key === null ? {} : { 'x-nuget-apikey': key }),
        ...options.headers,
      },
      payload: Buffer.from(body),
    });
  return {
    ...company,
    keys: {
      push: await ofMember('package:push'),
      pushVersion: await ofMember('package:pushversion'),
      unlist: await ofMember('package:unlist'),
    },
    makeKey,
    push,
    publish: (key, id, version = '1.0.0') => push(key, buildNupkg({ id, version })),
    send: async (method, url, key = null, headers = {}) =>
      await harness.app.inject({
        method,
        url,
        headers: { host: 'localhost:8080', ...(key === null ? {} : { 'x-nuget-apikey': key }), ...headers },
      }),
  };
}

/** A body as nuget.exe sends it: quoted boundary, unquoted names, the package as the first part. */
export function wrapMultipart(
  bytes: Uint8Array,
  secondPart?: Uint8Array,
): { body: Uint8Array; contentType: string } {
  const boundary = '4ab0f4a2-6c4d-4f0e-9d0e-5f8e1d2c3b4a';
  const head = (name: string) =>
    `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; name=${name}; filename=${name}.nupkg; filename*=utf-8''${name}.nupkg\r\n\r\n`;
  const parts = [Buffer.from(head('package')), bytes, Buffer.from('\r\n')];
  if (secondPart !== undefined) parts.push(Buffer.from(head('second')), secondPart, Buffer.from('\r\n'));
  return {
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    contentType: `multipart/form-data; boundary="${boundary}"`,
  };
}
