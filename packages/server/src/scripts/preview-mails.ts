import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderMail } from '../features/notices/templates/render.ts';
import { SAMPLE_WORKSPACE_URL, SAMPLES, type SampleNotice } from '../features/notices/templates/samples.ts';
import { aboutOf, type Locale } from '../jobs/index.ts';

/** Every mail that there is, in every language, as files to look at; `index.html` leads to them. */
const folder = path.resolve(import.meta.dirname, '../../../../mail-preview');
const TIME_ZONES: Readonly<Record<Locale, string>> = { en: 'Europe/Berlin', ja: 'Asia/Tokyo' };
const LOCALES = ['en', 'ja'] as const satisfies readonly Locale[];

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function render({ notice }: SampleNotice, locale: Locale) {
  const toName = 'accountName' in notice.payload ? notice.payload.accountName : 'Ada Lovelace';
  return renderMail(notice, locale, {
    toName,
    about: aboutOf(notice, toName),
    timeZone: TIME_ZONES[locale],
    mailTexts: [],
    workspaceUrl: SAMPLE_WORKSPACE_URL,
    supportEmail: 'help@example.com',
    supportUrl: null,
  });
}

function writeSample(sample: SampleNotice): string {
  const cells = LOCALES.map((locale) => {
    const name = `${sample.name.replace(/[^a-z_.]+/g, '-')}.${locale}`;
    const mail = render(sample, locale);
    writeFileSync(path.join(folder, `${name}.html`), mail.html);
    writeFileSync(path.join(folder, `${name}.txt`), `Subject: ${mail.subject}\n\n${mail.text}`);
    return `<td><a href="${name}.html">${escapeHtml(mail.subject)}</a> (<a href="${name}.txt">text</a>)</td>`;
  });
  return `<tr><th scope="row">${escapeHtml(sample.name)}</th>${cells.join('')}</tr>`;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const rows = SAMPLES.map(writeSample);
writeFileSync(
  path.join(folder, 'index.html'),
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Mails of Keyreeve</title>
<style>body{font:15px/1.6 system-ui,sans-serif;margin:24px}th,td{padding:4px 16px 4px 0;text-align:left;vertical-align:top}</style></head>
<body><h1>Mails of Keyreeve</h1>
<table><tr><th>Kind</th><th>English</th><th>Japanese</th></tr>
${rows.join('\n')}
</table></body></html>
`,
);
process.stdout.write(`${SAMPLES.length * LOCALES.length} mails: ${path.join(folder, 'index.html')}\n`);
