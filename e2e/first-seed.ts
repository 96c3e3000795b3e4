import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The two samples exactly as their users copied them: a piece of the documentation, kept byte for byte. */
const DOCUMENT = readFileSync(path.join(import.meta.dirname, 'seeds/generate-a-token.md'), 'utf8');
const DOCUMENTED_ADDRESS = 'https://{dataplant_subdomain}.forepaas.io';

export interface Pair {
  readonly apiKey: string;
  readonly secretKey: string;
}

export const EMPTY_PAIR: Pair = { apiKey: '', secretKey: '' };

function codeBlock(language: string): string {
  const code = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(DOCUMENT)?.[1];
  if (code === undefined) throw new Error(`The documentation has no ${language} sample.`);
  return code;
}

function replaceOnce(text: string, old: string, replacement: string): string {
  const parts = text.split(old);
  if (parts.length !== 2)
    throw new Error(`The sample has ${JSON.stringify(old)} ${parts.length - 1} times, not once.`);
  return parts.join(replacement);
}

/** A documented sample in which only the address and the two credentials are filled in. */
function fillIn(sample: string, url: string, { apiKey, secretKey }: Pair): string {
  const addressed = replaceOnce(sample, DOCUMENTED_ADDRESS, url);
  const withKey = replaceOnce(addressed, '"apikey": ""', `"apikey": "${apiKey}"`);
  return replaceOnce(withKey, '"secretkey": ""', `"secretkey": "${secretKey}"`);
}

export function curlSample(url: string, pair: Pair): string {
  return fillIn(codeBlock('bash'), url, pair);
}

export function pythonSample(url: string, pair: Pair): string {
  return fillIn(codeBlock('python'), url, pair);
}
