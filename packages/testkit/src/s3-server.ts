import crypto, { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createReadStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { createServer, IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import S3rver from '@20minutes/s3rver';
import signature from '@20minutes/s3rver/lib/signature/v4.js';

// It leaves out the slash after the name of a bucket, which clients send and sign.
const getStringToSign = signature.getStringToSign.bind(signature);
signature.getStringToSign = (canonical, request) =>
  getStringToSign({ ...canonical, uri: canonical.uri.replace(/^\/[^/]+$/, '$&/') }, request);

// It hides the place in a list with DES, which today's OpenSSL has no more.
const { createCipheriv, createDecipheriv } = crypto;
const twice = (bytes: Buffer) => Buffer.concat([bytes, bytes]);
crypto.createCipheriv = ((name: string, key: Buffer, iv: Buffer) =>
  name === 'des'
    ? createCipheriv('aes-128-cbc', twice(key), twice(iv))
    : createCipheriv(name, key, iv)) as typeof createCipheriv;
crypto.createDecipheriv = ((name: string, key: Buffer, iv: Buffer) =>
  name === 'des'
    ? createDecipheriv('aes-128-cbc', twice(key), twice(iv))
    : createDecipheriv(name, key, iv)) as typeof createDecipheriv;

/** What the server does to a request instead of, or while, answering it. */
export type Trouble =
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  /** Takes the request and never answers. */
  | { readonly kind: 'silence' }
  /** Breaks the connection at once. */
  | { readonly kind: 'reset' }
  /** Breaks the connection, or falls silent, after so many bytes of the answer. */
  | { readonly kind: 'cut' | 'stall'; readonly afterBytes: number };

export interface S3Server {
  readonly url: string;
  readonly bucket: string;
  /** For `KEYREEVE_BLOB_URL`. */
  readonly blobUrl: string;
  /** The variables that a server needs to use it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Asked for each request; null lets it pass. */
  trouble: (request: IncomingMessage) => Trouble | null;
  /** Method and path of the requests so far. */
  readonly requests: readonly string[];
  /** Bodies that arrived though their hash was not part of the signature. */
  readonly unsignedBodies: number;
  /** The keys of all objects. */
  keys(): string[];
  /** The ids of the uploads in parts that were neither completed nor ended. */
  uploads(): string[];
  /** The file in which the server keeps an object, to damage it or to change its date. */
  fileOf(key: string): string;
  fileOfUpload(id: string): string;
  close(): Promise<void>;
}

const BUCKET = 'packages';
const PREFIX = 'keyreeve/';
// The only account that this server knows.
const KEY = 'S3RVER';
const OBJECT = '._S3rver_object';

/**
 * A server that speaks S3, from the registry, on a port of this machine: it checks signatures, and knows ranges,
 * pages of lists and uploads in parts. Around it stands what S3 does and this server does not: an object appears only
 * whole, what arrives must have the hash that was signed, an upload in parts can be listed and ended.
 */
export async function startS3Server(options: { readonly port?: number } = {}): Promise<S3Server> {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-s3-'));
  const s3 = new S3rver({
    directory: folder,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: BUCKET }],
  });
  await s3.configureBuckets();
  const counts = { unsignedBodies: 0 };
  makeStrict(s3, folder, counts);
  const answer = s3.callback();
  const uploadsFolder = path.join(folder, BUCKET, '._S3rver_uploads');
  const requests: string[] = [];

  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    requests.push(`${method} ${url}`);
    const trouble = self.trouble(request);
    if (trouble !== null && !makeTrouble(trouble, request, response)) return;
    if (answerUploads(uploadsFolder, request, response)) return;
    void answer(request, response);
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  const url = `http://127.0.0.1:${address.port}`;

  const self: S3Server = {
    url,
    bucket: BUCKET,
    blobUrl: `s3://${BUCKET}/${PREFIX}?region=eu-test-1&endpoint=${encodeURIComponent(url)}`,
    get environment() {
      return { KEYREEVE_BLOB_URL: self.blobUrl, AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: KEY };
    },
    trouble: () => null,
    requests,
    get unsignedBodies() {
      return counts.unsignedBodies;
    },
    keys: () =>
      readdirSync(path.join(folder, BUCKET), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(OBJECT))
        .map((name) => name.slice(0, -OBJECT.length)),
    uploads: () => listUploads(uploadsFolder).map((upload) => upload.id),
    fileOf: (key) => path.join(folder, BUCKET, `${key}${OBJECT}`),
    fileOfUpload: (id) => path.join(uploadsFolder, id, 'key'),
    close: async () => {
      server.closeAllConnections();
      server.close();
      s3.logger.exceptions.unhandle();
      s3.logger.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return self;
}

function makeStrict(s3: S3rver, folder: string, counts: { unsignedBodies: number }): void {
  const { store } = s3;
  const putContent = store.putContent.bind(store);
  const getObject = store.getObject.bind(store);
  let files = 0;
  store.putContent = async (file, content) => {
    files += 1;
    const temporary = path.join(folder, `arriving-${files}`);
    try {
      const result = await putContent(temporary, content);
      if (content instanceof IncomingMessage) {
        const signed = content.headers['x-amz-content-sha256'];
        if (!/^[0-9a-f]{64}$/.test(String(signed))) counts.unsignedBodies += 1;
        else if (signed !== (await sha256Of(temporary)))
          throw new Error('The body is not the one that was signed.');
      }
      await mkdir(path.dirname(file), { recursive: true });
      await rename(temporary, file);
      return result;
    } finally {
      await rm(temporary, { force: true });
    }
  };
  // It takes an end of 0 for none, and removes folders that become empty under the objects that others put there.
  store.getObject = async (bucket, key, options) => {
    const object = await getObject(bucket, key, options?.end === 0 ? { start: 0, end: 1 } : options);
    if (options?.end !== 0 || object?.content === null || object === null) return object;
    object.content.destroy();
    const file = path.join(folder, bucket, `${key}${OBJECT}`);
    return Object.assign(object, {
      content: createReadStream(file, { end: 0 }),
      range: { start: 0, end: 0 },
    });
  };
  store.deleteObject = async (bucket, key) => {
    const file = path.join(folder, bucket, `${key}${OBJECT}`);
    for (const name of [file, `${file}.md5`, file.replace(/object$/, 'metadata.json')])
      await rm(name, { force: true });
  };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Whether the request is answered all the same. */
function makeTrouble(trouble: Trouble, request: IncomingMessage, response: ServerResponse): boolean {
  if (trouble.kind === 'silence') return false;
  if (trouble.kind === 'reset') {
    request.socket.destroy();
    return false;
  }
  if (trouble.kind === 'status') {
    const body = `<?xml version="1.0"?><Error><Code>${trouble.code}</Code><Message>made by the test</Message></Error>`;
    request.resume();
    request.once('end', () =>
      response.writeHead(trouble.status, { 'content-type': 'application/xml' }).end(body),
    );
    return false;
  }
  let leftBytes = trouble.afterBytes;
  const write = response.write.bind(response) as (chunk: Uint8Array) => boolean;
  const end = response.end.bind(response);
  response.end = ((chunk?: Uint8Array | string) => {
    if (chunk !== undefined && chunk.length > leftBytes) response.socket?.destroy();
    else end(chunk);
    return response;
  }) as typeof response.end;
  response.write = ((chunk: Uint8Array) => {
    const part = chunk.subarray(0, Math.max(0, leftBytes));
    leftBytes -= chunk.length;
    if (part.length > 0) write(part);
    if (leftBytes < 0 && trouble.kind === 'cut') response.socket?.destroy();
    return leftBytes >= 0;
  }) as typeof response.write;
  return true;
}

function listUploads(folder: string): { id: string; key: string; startedAt: Date }[] {
  try {
    return readdirSync(folder).map((id) => {
      const file = path.join(folder, id, 'key');
      return { id, key: readFileSync(file, 'utf8'), startedAt: statSync(file).mtime };
    });
  } catch {
    return [];
  }
}

/** `ListMultipartUploads` and `AbortMultipartUpload`. */
function answerUploads(folder: string, request: IncomingMessage, response: ServerResponse): boolean {
  const url = new URL(request.url ?? '', 'http://s3');
  const id = url.searchParams.get('uploadId');
  if (request.method === 'DELETE' && id !== null) {
    rmSync(path.join(folder, path.basename(id)), { recursive: true, force: true });
    response.writeHead(204).end();
    return true;
  }
  if (request.method === 'POST' && id !== null && !listUploads(folder).some((upload) => upload.id === id)) {
    const body =
      '<?xml version="1.0"?><Error><Code>NoSuchUpload</Code><Message>It is gone.</Message></Error>';
    response.writeHead(404, { 'content-type': 'application/xml' }).end(body);
    return true;
  }
  const isList =
    request.method === 'GET' && url.searchParams.has('uploads') && url.pathname === `/${BUCKET}/`;
  if (
    request.method !== 'GET' ||
    !url.searchParams.has('uploads') ||
    (!isList && url.pathname !== `/${BUCKET}`)
  )
    return false;
  const prefix = url.searchParams.get('prefix') ?? '';
  const uploads = listUploads(folder)
    .filter(({ key }) => key.startsWith(prefix))
    .map(
      ({ id: uploadId, key, startedAt }) =>
        `<Upload><Key>${key}</Key><UploadId>${uploadId}</UploadId><Initiated>${startedAt.toISOString()}</Initiated></Upload>`,
    );
  response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(
      `<?xml version="1.0"?><ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${uploads.join('')}</ListMultipartUploadsResult>`,
    );
  return true;
}

/** Changes one byte of a file and nothing else about it that can be seen from outside. */
export function flipByte(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
}
