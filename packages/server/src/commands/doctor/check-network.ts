import { X509Certificate } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, isIP } from 'node:net';
import { type Config, publicUrlOf } from '../../config/index.ts';
import { DAY_MS } from '../../lib/clock.ts';
import { type Check, codeOf, type Finding, fault, messageOf, type Place, warning } from './check.ts';
import { readSigningKeyIds } from './installation.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const ANSWER_TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 1_000_000;
const CLOCK_DIFFERENCE_MAX_MS = 5_000;

/** Where to find the server on this machine: one that listens on all addresses is asked on loopback. */
function localHost({ host }: Config): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

/** Whether anything takes a connection where the server listens. */
export async function isPortTaken(config: Config): Promise<boolean> {
  if (config.port === 0) return false;
  return await new Promise((resolve) => {
    const socket = connect({ host: localHost(config), port: config.port, timeout: CONNECT_TIMEOUT_MS });
    const end = (isTaken: boolean) => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

interface Answer {
  readonly status: number;
  readonly date: string | undefined;
  readonly text: string;
}

/** A plain GET that follows nothing and reads a bounded answer. */
async function get(url: string, isCertificateChecked: boolean, host?: string): Promise<Answer> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  return await new Promise((resolve, reject) => {
    const sent = request(url, {
      rejectUnauthorized: isCertificateChecked,
      timeout: ANSWER_TIMEOUT_MS,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      headers: host === undefined ? {} : { host },
    });
    sent.once('timeout', () => sent.destroy(new Error('it does not answer in time')));
    sent.once('error', reject);
    sent.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES_MAX) sent.destroy(new Error('its answer is too long'));
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, date: response.headers.date, text }),
      );
    });
    sent.end();
  });
}

/** The ids of the keys that a deployment publishes; null when the answer is not that of a Keyreeve. */
function keyIdsIn({ status, text }: Answer): readonly string[] | null {
  try {
    const value = JSON.parse(text) as { readonly keys?: unknown };
    if (status !== 200 || !Array.isArray(value.keys)) return null;
    return value.keys.map((key: unknown) => String((key as { readonly kid?: unknown } | null)?.kid));
  } catch {
    return null;
  }
}

/** Only this deployment has the private halves of the keys in this database: the same ids, the same deployment. */
async function isOurs(place: Place, answer: Answer): Promise<boolean> {
  const published = keyIdsIn(answer);
  if (published === null) return false;
  const ours = await readSigningKeyIds(place.config);
  // Without a database nothing can be compared; the check of the database says so.
  return ours === null || published.every((id) => ours.includes(id));
}

const JWKS = '/.well-known/jwks.json';

export const portCheck: Check = {
  name: 'port',
  run: async (place) => {
    const { config, isListening } = place;
    if (!isListening) return 'nothing listens there: the server is stopped';
    const scheme = config.tls === null ? 'http' : 'https';
    const host = localHost(config);
    const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${config.port}${JWKS}`;
    const remedy = 'Stop the other program, or choose another KEYREEVE_PORT.';
    const foreign = fault(
      'port.taken',
      `Another program, or another deployment of Keyreeve, listens on port ${config.port}.`,
      remedy,
    );
    try {
      // Asked by the name that the server goes by; it answers to no other.
      const answer = await get(url, false, new URL(publicUrlOf(config)).host);
      return (await isOurs(place, answer)) ? [] : [foreign];
    } catch {
      return [foreign];
    }
  },
};

const PUBLIC_REMEDY = 'Check KEYREEVE_PUBLIC_URL, DNS, the proxy and its certificate.';

export const publicUrlCheck: Check = {
  name: 'public URL',
  run: async (place) => {
    const { config, isListening, now } = place;
    if (config.publicUrl === null) return 'KEYREEVE_PUBLIC_URL is not set';
    if (!isListening) return 'the server is stopped';
    const url = config.publicUrl;
    try {
      const answer = await get(`${url}${JWKS}`, true);
      if (!(await isOurs(place, answer))) {
        const found = `${url} is answered by something else than this deployment (status ${answer.status}).`;
        return [fault('public_url.other_deployment', found, PUBLIC_REMEDY)];
      }
      return judgeDate(answer.date, now(), url);
    } catch (error) {
      const isCertificate = /CERT|SIGNATURE|TLS|SSL/.test(codeOf(error));
      return [
        fault(
          isCertificate ? 'public_url.tls' : 'public_url.unreachable',
          `${url} cannot be reached from here: ${messageOf(error)}.`,
          PUBLIC_REMEDY,
        ),
      ];
    }
  },
};

export function judgeDate(date: string | undefined, now: number, url: string): Finding[] {
  const theirs = Date.parse(date ?? '');
  // A proxy without a clock sends none.
  if (Number.isNaN(theirs) || Math.abs(theirs - now) <= CLOCK_DIFFERENCE_MAX_MS) return [];
  return [
    fault(
      'clock.public_url',
      `The clock of ${url} differs from the one here by ${Math.round(Math.abs(theirs - now) / 1_000)} seconds.`,
      'Set both by NTP: expiries and tokens go by the clock.',
    ),
  ];
}

const EXPIRY_WARNING_DAYS = 14;

export const certificateCheck: Check = {
  name: 'certificate',
  run: async ({ config, now }) => {
    if (config.tls === null) return 'the server speaks http';
    const certificate = new X509Certificate(config.tls.cert);
    const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
    const findings: Finding[] = [];
    const remedy = 'Renew it, and restart the server, which reads it at its start.';
    if (to <= now()) findings.push(fault('tls.expired', `It ran out on ${certificate.validTo}.`, remedy));
    else if (to - now() < EXPIRY_WARNING_DAYS * DAY_MS)
      findings.push(warning('tls.expires_soon', `It runs out on ${certificate.validTo}.`, remedy));
    if (from > now())
      findings.push(
        fault('tls.not_yet_valid', `It is valid from ${certificate.validFrom} only.`, 'Check the clock.'),
      );
    const host = new URL(publicUrlOf(config)).hostname.replace(/^\[|\]$/g, '');
    const isNamed = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
    if (isNamed === undefined)
      findings.push(
        fault(
          'tls.wrong_host',
          `It is not for ${host}, the host of the public URL.`,
          'Get one for that name.',
        ),
      );
    return findings;
  },
};
