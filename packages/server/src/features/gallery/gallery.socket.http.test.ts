import { Buffer } from 'node:buffer';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { buildApp } from '@keyreeve/server';
import { type App, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';
import { createGalleryService } from './gallery.service.ts';

/** What a real client sees: tested over real sockets, which `inject` cannot stand in for. */
let harness: Harness;
let gallery: Gallery;
let app: App;
let port: number;

const CHUNK = Buffer.alloc(64 * 1024, 7);

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  const small = createGalleryService({ ...harness.deps, packageBytesMax: 30 * 1024 * 1024 });
  app = await buildApp({ ...harness.deps, gallery: small });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  port = Number(new URL(address).port);
});
afterAll(async () => {
  await app.close();
  await harness.close();
});

/** A client that, like nuget.exe, reads the answer only after it has sent everything. */
class Client {
  readonly #socket: Socket;
  #received = '';
  #fault: Error | null = null;

  constructor(toPort = port) {
    this.#socket = connect(toPort, '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
    });
    this.#socket.on('error', (error) => {
      this.#fault = error;
    });
  }

  async write(data: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(data, (error) => (error ? reject(error) : resolve()));
    });
  }

  async begin(method: string, path: string, headers: Record<string, string>): Promise<void> {
    const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    await this.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  async writeChunked(bytes: number): Promise<void> {
    for (let sent = 0; sent < bytes; sent += CHUNK.length) {
      await this.write(`${CHUNK.length.toString(16)}\r\n`);
      await this.write(CHUNK);
      await this.write('\r\n');
    }
    await this.write('0\r\n\r\n');
  }

  /** The answer, once its body is whole. */
  async read(): Promise<{ status: string; body: string }> {
    for (let waited = 0; waited < 20_000; waited += 10) {
      if (this.#fault !== null) throw this.#fault;
      const end = this.#received.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1] ?? 0);
      if (end >= 0 && this.#received.length >= end + 4 + length) {
        const answer = this.#received.slice(0, end + 4 + length);
        this.#received = this.#received.slice(end + 4 + length);
        return { status: answer.slice(0, answer.indexOf('\r\n')), body: answer.slice(end + 4) };
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`No answer came; received: ${this.#received}`);
  }

  close(): void {
    this.#socket.destroy();
  }
}

const TEXT_403 =
  'The specified API key is invalid, has expired, or does not have permission to access the specified package.';
const TEXT_401 = "An API key must be provided in the 'X-NuGet-ApiKey' header to use this service";
const MIB = 1024 * 1024;

/** Waits for so many files: an answer does not wait for what was staged to be removed. */
const expectStaged = async (files: number) => {
  const staging = join(harness.database.dataDir, 'blobs', 'staging');
  await expect.poll(() => readdirSync(staging), { timeout: 5_000 }).toHaveLength(files);
};

describe('a push that is refused', () => {
  const cases = [
    ['[29] a bad key', { 'X-NuGet-ApiKey': 'nonsense' }, `403 ${TEXT_403}`],
    ['[8] no key', {}, `401 ${TEXT_401}`],
    [
      '[28] too many bytes',
      { 'X-NuGet-ApiKey': 'push' },
      '413 The package file exceeds the size limit. Please try again.',
    ],
    [
      'a broken form',
      { 'X-NuGet-ApiKey': 'push', 'Content-Type': 'multipart/form-data; boundary=abc' },
      '400 The body holds no part: its boundary never appears as the Content-Type names it. Send the package again.',
    ],
    [
      'an unknown host',
      { 'X-NuGet-ApiKey': 'push', Host: 'elsewhere.example' },
      '421 Use the host name of a workspace, or ask an administrator to add this one as an alias.',
    ],
  ] as const;

  it.each(cases)(
    'shows its reason to a client that sends 20 MB and more first, and the connection stays usable: %s',
    async (title, headers, status) => {
      const client = new Client();
      const withKey =
        'X-NuGet-ApiKey' in headers && headers['X-NuGet-ApiKey'] === 'push'
          ? { 'X-NuGet-ApiKey': gallery.keys.push }
          : {};
      for (let round = 0; round < 2; round += 1) {
        await client.begin('PUT', '/api/v2/package/', {
          ...headers,
          ...withKey,
          'Transfer-Encoding': 'chunked',
        });
        await client.writeChunked(title.startsWith('[28]') ? 60 * MIB : 20 * MIB);
        const answer = await client.read();
        expect(answer.status).toBe(`HTTP/1.1 ${status}`);
        expect(answer.body).toBe(status.slice(4));
      }
      const bytes = buildNupkg({
        id: `Acme.After${cases.findIndex(([name]) => name === title)}`,
        version: '1.0.0',
      });
      await client.begin('PUT', '/api/v2/package/', {
        'X-NuGet-ApiKey': gallery.keys.push,
        'Content-Length': String(bytes.length),
      });
      await client.write(bytes);
      expect((await client.read()).status).toBe('HTTP/1.1 201 Created');
      client.close();
    },
  );

  it('is told so when it takes too long, and leaves nothing behind', async () => {
    const hasty = await buildApp(harness.deps, { gallery: { uploadDeadlineMs: 200 } });
    const address = await hasty.listen({ host: '127.0.0.1', port: 0 });
    const from = harness.logLines.length;
    for (const type of ['application/octet-stream', 'multipart/form-data; boundary=abc']) {
      const client = new Client(Number(new URL(address).port));
      await client.begin('PUT', '/api/v2/package/', {
        'X-NuGet-ApiKey': gallery.keys.push,
        'Content-Type': type,
        'Content-Length': String(10 * MIB),
      });
      await client.write(CHUNK);
      expect((await client.read()).status).toBe(
        'HTTP/1.1 408 Send the request again over a faster connection.',
      );
      client.close();
    }
    await hasty.close();
    await expectStaged(0);
    expect(harness.logLines.slice(from).filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  it('leaves nothing behind when the client breaks off in the middle, and the server goes on', async () => {
    const client = new Client();
    await client.begin('PUT', '/api/v2/package/', {
      'X-NuGet-ApiKey': gallery.keys.push,
      'Content-Length': String(10 * MIB),
    });
    await client.write(CHUNK);
    await expectStaged(1);
    client.close();
    await expectStaged(0);
    expect((await gallery.publish(gallery.keys.push, 'Acme.AfterBreak')).statusCode).toBe(201);
    expect(harness.logLines.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});
