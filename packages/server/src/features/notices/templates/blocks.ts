import type { Locale } from '../../../jobs/index.ts';

/** The parts of a mail. One list of them becomes both the text and the HTML, so that these never differ. */
export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  /** Less important than the rest. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'facts'; readonly facts: readonly Fact[] }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** The one thing to press. */
  | { readonly kind: 'action'; readonly label: string; readonly url: string };

export interface Fact {
  readonly label: string;
  readonly value: string;
  /** A machine's string: monospaced, so that it can be compared by eye. */
  readonly isCode?: boolean;
}

export function paragraph(text: string): Block {
  return { kind: 'paragraph', text };
}

export function note(text: string): Block {
  return { kind: 'note', text };
}

/**
 * One line of text that shows what it says: controls and line ends become blanks, and the characters that
 * turn the direction of text or hide in it go. Joiners stay: Persian words and family emoji need them.
 */
export function plainLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Zs}]+/gu, ' ')
    .replace(/(?![\u200c\u200d])\p{Cf}/gu, '')
    .trim();
}

/**
 * A text of somebody else, such as a name, within ours. Programs that read mails make a link of whatever looks like
 * an address; a joiner that nobody sees keeps such a text from it.
 */
export function quoted(text: string): string {
  return plainLine(text).replace(
    /(?<=[\p{L}\p{N}])(?:\.(?=\p{L})|:(?=\/\/)|@(?=[\p{L}\p{N}]))/gu,
    '$&\u2060',
  );
}

/** A name for a subject: one line, and not so long that it hides the rest. */
export function shortName(name: string, charactersMax = 60): string {
  const line = plainLine(name);
  // By what a reader sees as one character: half an emoji is another emoji.
  const characters = Array.from(new Intl.Segmenter().segment(line), (part) => part.segment);
  return characters.length <= charactersMax ? line : `${characters.slice(0, charactersMax - 1).join('')}…`;
}

interface WallTime {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly time: string;
}

function wallTimeOf(ms: number, timeZone: string): WallTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const { year = '', month = '', day = '', hour = '', minute = '' } = parts;
  return { year, month, day, time: `${hour}:${minute}` };
}

function wallText({ year, month, day, time }: WallTime, zone: string, locale: Locale): string {
  return locale === 'ja'
    ? `${Number(year)}年${Number(month)}月${Number(day)}日 ${time}（${zone}）`
    : `${year}-${month}-${day} ${time} ${zone}`;
}

/**
 * An instant as people read it: in the time zone of the reader and in UTC, each with its name. A mail is passed on
 * and read elsewhere, and logs are in UTC.
 */
export function formatInstant(ms: number, locale: Locale, timeZone: string | null): string {
  const utc = wallText(wallTimeOf(ms, 'UTC'), 'UTC', locale);
  if (timeZone === null || timeZone === 'UTC') return utc;
  const local = wallText(wallTimeOf(ms, timeZone), timeZone, locale);
  return locale === 'ja' ? `${local}／${utc}` : `${local} (${utc})`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A machine's string must be copied as it is; what people wrote may look like anything. */
function valueOf({ value, isCode }: Fact): string {
  return isCode === true ? plainLine(value) : quoted(value);
}

function blockToText(block: Block, locale: Locale): string {
  const colon = locale === 'ja' ? '：' : ':';
  if (block.kind === 'facts') {
    const gap = locale === 'ja' ? '' : ' ';
    return block.facts.map((fact) => `  ${fact.label}${colon}${gap}${valueOf(fact)}`).join('\n');
  }
  if (block.kind === 'list') return block.items.map((item) => `  - ${plainLine(item)}`).join('\n');
  return block.kind === 'action' ? `${block.label}${colon}\n${block.url}` : block.text;
}

export function toText(blocks: readonly Block[], locale: Locale): string {
  return `${blocks.map((block) => blockToText(block, locale)).join('\n\n')}\n`;
}

const FONT = `font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Hiragino Sans','Yu Gothic UI','Noto Sans JP',Meiryo,sans-serif`;
const MONO = 'font-family:ui-monospace,Menlo,Consolas,monospace;font-size:14px';
const BUTTON =
  'display:inline-block;padding:10px 20px;border-radius:6px;background:#0d6e7a;color:#ffffff;font-weight:600;text-decoration:none';

/** The same in the dark, for programs that ask for it; `!important`, because the colours above stand at the elements. */
const DARK = `@media (prefers-color-scheme: dark) {
.ground{background:#0d1013!important;color:#c8cdd0!important}
.card{background:#191e21!important;border-color:#31383c!important}
.dim{color:#9ea6ab!important}
.brand{color:#66bcc8!important}
.button{background:#3da2b0!important;color:#0d1013!important}
}`;

function factToHtml(fact: Fact): string {
  const value = `<bdi>${escapeHtml(valueOf(fact))}</bdi>`;
  const shown = fact.isCode === true ? `<code style="${MONO};overflow-wrap:anywhere">${value}</code>` : value;
  return `<tr><th scope="row" class="dim" style="padding:4px 16px 4px 0;text-align:left;vertical-align:top;font-weight:400;color:#626a70;white-space:nowrap">${escapeHtml(fact.label)}</th><td style="padding:4px 0;overflow-wrap:anywhere">${shown}</td></tr>`;
}

function blockToHtml(block: Block): string {
  if (block.kind === 'facts')
    return `<table style="border-collapse:collapse;margin:0 0 16px">${block.facts.map(factToHtml).join('')}</table>`;
  if (block.kind === 'list') {
    const items = block.items.map((item) => `<li><bdi>${escapeHtml(plainLine(item))}</bdi></li>`).join('');
    return `<ul style="margin:0 0 16px;padding-left:24px;overflow-wrap:anywhere">${items}</ul>`;
  }
  if (block.kind === 'action') {
    const url = escapeHtml(block.url);
    return `<p style="margin:0 0 8px"><a href="${url}" class="button" style="${BUTTON}">${escapeHtml(block.label)}</a></p><p style="margin:0 0 16px;${MONO};overflow-wrap:anywhere">${url}</p>`;
  }
  if (block.kind === 'note')
    return `<p class="dim" style="margin:0 0 8px;font-size:13px;color:#626a70">${escapeHtml(block.text)}</p>`;
  return `<p style="margin:0 0 16px">${escapeHtml(block.text)}</p>`;
}

/**
 * A whole document without anything from elsewhere: opening the mail tells nobody that it was opened. The footer
 * stands below the rest, in the words of every mail.
 */
export function toHtml(
  blocks: readonly Block[],
  footer: readonly Block[],
  { locale, subject }: { readonly locale: Locale; readonly subject: string },
): string {
  const [body, foot] = [blocks, footer].map((part) => part.map(blockToHtml).join('\n'));
  return `<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>${escapeHtml(subject)}</title><style>${DARK}</style></head>
<body class="ground" style="margin:0;padding:24px 12px;background:#f2f4f5;color:#13181b;${FONT};font-size:15px;line-height:1.6">
<div style="max-width:600px;margin:0 auto">
<p class="brand" style="margin:0 0 10px 4px;font-size:14px;font-weight:700;color:#0d6e7a">Keyreeve</p>
<div class="card" style="padding:24px 24px 12px;background:#ffffff;border:1px solid #dde2e5;border-radius:8px">
${body}
</div>
<div style="padding:16px 4px 0">
${foot}
</div>
</div>
</body></html>
`;
}
