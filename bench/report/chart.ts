const WIDTH = 760;
const STYLE = `
    text { font: 13px system-ui, 'Segoe UI', Roboto, sans-serif; fill: #1f2328; }
    .title { font-size: 15px; font-weight: 600; }
    .muted { fill: #59636e; font-size: 12px; }
    .ground { fill: #ffffff; }
    .grid { stroke: #d1d9e0; stroke-width: 1; }
    .a { --ink: #0b6bcb; } .b { --ink: #0b6bcb; } .c { --ink: #b35900; } .d { --ink: #b35900; }
    .line { fill: none; stroke: var(--ink); stroke-width: 2; }
    .b .line, .d .line { stroke-dasharray: 5 4; }
    .dot { fill: var(--ink); }
    .bar { fill: #8c959f; }
    .ours { fill: #0b6bcb; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .muted { fill: #9198a1; }
      .ground { fill: #0d1117; }
      .grid { stroke: #3d444d; }
      .a, .b { --ink: #6cb2ff; } .c, .d { --ink: #f0a35e; }
      .bar { fill: #6e7681; }
      .ours { fill: #4493f8; }
    }`;

export interface Line {
  readonly name: string;
  /** One for each group. */
  readonly values: readonly number[];
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly label: string;
  readonly isOurs: boolean;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A picture that reads on light and dark pages; its text says in words what it shows. */
function toSvg(height: number, title: string, description: string, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description">`,
    `  <title id="title">${escapeXml(title)}</title>`,
    `  <desc id="description">${escapeXml(description)}</desc>`,
    `  <style>${STYLE}\n  </style>`,
    `  <rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>`,
    `  <text class="title" x="24" y="32">${escapeXml(title)}</text>`,
    ...content.map((line) => `  ${line}`),
    '</svg>',
    '',
  ].join('\n');
}

function write(x: number, y: number, content: string, anchor = 'start', style = ''): string {
  const look = style === '' ? '' : ` class="${style}"`;
  return `<text${look} x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

/**
 * One point for each group and line, up to four lines, above zero: the scale is logarithmic, since a median and the
 * slowest hundredth lie a hundred times apart. Groups stand side by side, whatever lies between them.
 */
export function drawLines(
  title: string,
  unit: string,
  groups: readonly string[],
  lines: readonly Line[],
): string {
  const [left, right, top, bottom] = [70, 190, 60, 340];
  const exponents = lines.flatMap(({ values }) => values.map((value) => Math.log10(value)));
  const least = Math.floor(Math.min(...exponents));
  const decades = Math.max(1, Math.ceil(Math.max(...exponents)) - least);
  const y = (value: number) => bottom - ((Math.log10(value) - least) / decades) * (bottom - top);
  const width = WIDTH - left - right;
  const x = (index: number) => left + (width * (index + 0.5)) / groups.length;
  const grid = Array.from({ length: decades + 1 }, (_, index) => {
    const value = 10 ** (least + index);
    const at = y(value);
    return `<line class="grid" x1="${left}" x2="${left + width}" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}"/>${write(left - 8, at + 4, Number(value.toPrecision(1)).toString(), 'end', 'muted')}`;
  });
  const names = groups.map((group, index) => write(x(index), bottom + 24, group, 'middle'));
  const legend = lines.map(({ name }, index) => {
    const at = top + 14 + index * 24;
    const from = WIDTH - right + 16;
    return `<g class="${'abcd'[index] ?? 'a'}"><path class="line" d="M${from} ${at - 4}h26"/><circle class="dot" cx="${from + 13}" cy="${at - 4}" r="3.5"/>${write(from + 34, at, name)}</g>`;
  });
  const drawn = lines.map(({ values }, index) => {
    const points = values.map((value, group) => `${x(group).toFixed(1)} ${y(value).toFixed(1)}`);
    const dots = values.map(
      (value, group) => `<circle class="dot" cx="${x(group).toFixed(1)}" cy="${y(value).toFixed(1)}" r="4"/>`,
    );
    return `<g class="${'abcd'[index] ?? 'a'}"><path class="line" d="M${points.join('L')}"/>${dots.join('')}</g>`;
  });
  const words = lines
    .map(({ name, values }) => `${name}: ${values.map((value) => `${value.toFixed(3)} ${unit}`).join(', ')}`)
    .join('; ');
  return toSvg(390, title, `For ${groups.join(', ')}. ${words}.`, [
    write(left - 8, top - 14, unit, 'end', 'muted'),
    ...grid,
    ...names,
    ...drawn,
    ...legend,
  ]);
}

/** One bar under the other, from zero, each with its figure. */
export function drawBars(title: string, bars: readonly Bar[]): string {
  const [left, right, top, pitch] = [250, 90, 54, 30];
  const max = Math.max(...bars.map(({ value }) => value));
  const content = bars.flatMap(({ name, value, label, isOurs }, index) => {
    const y = top + index * pitch;
    const width = Math.max(1, (value / max) * (WIDTH - left - right));
    return [
      write(left - 10, y + 15, name, 'end'),
      `<rect class="${isOurs ? 'ours' : 'bar'}" x="${left}" y="${y}" width="${width.toFixed(1)}" height="20" rx="3"/>`,
      write(left + width + 8, y + 15, label),
    ];
  });
  const words = bars.map(({ name, label }) => `${name}: ${label}`).join('; ');
  return toSvg(top + bars.length * pitch + 18, title, `${words}.`, content);
}
