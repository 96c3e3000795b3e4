import { crc32, deflateSync } from 'node:zlib';

const SIDE = 64;
const CORNER = 12;

type Colour = readonly [red: number, green: number, blue: number];
/** Whether the figure of an icon covers a point; from 0 to 1 in both directions. */
type Figure = (x: number, y: number) => boolean;

const bars: Figure = (x, y) =>
  [0.22, 0.44, 0.66].some(
    (left, index) => x > left && x < left + 0.13 && y < 0.78 && y > 0.58 - 0.18 * index,
  );
const ring: Figure = (x, y) => {
  const radius = Math.hypot(x - 0.5, y - 0.5);
  return (radius > 0.22 && radius < 0.31) || radius < 0.09;
};
const wave: Figure = (x, y) =>
  x > 0.16 && x < 0.84 && Math.abs(y - 0.5 - 0.16 * Math.sin(x * 3.4 * Math.PI)) < 0.06;
const prompt: Figure = (x, y) =>
  (x > 0.24 && x < 0.5 && Math.abs(Math.abs(y - 0.5) - (0.5 - x)) < 0.06) ||
  (x > 0.5 && x < 0.76 && y > 0.66 && y < 0.74);

const ICONS = {
  bars: { colour: [13, 110, 122], figure: bars },
  ring: { colour: [92, 97, 198], figure: ring },
  wave: { colour: [163, 97, 32], figure: wave },
  prompt: { colour: [34, 64, 112], figure: prompt },
} as const satisfies Record<string, { colour: Colour; figure: Figure }>;

export type TownIcon = keyof typeof ICONS;

function isInside(x: number, y: number): boolean {
  const beyond = (value: number) => Math.max(CORNER - value, value - (SIDE - 1 - CORNER), 0);
  return Math.hypot(beyond(x), beyond(y)) <= CORNER;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A small picture as packages bring one: a white figure on a coloured tile with round corners, as PNG. */
export function drawIcon(name: TownIcon): Uint8Array {
  const { colour, figure } = ICONS[name];
  const rows = Array.from({ length: SIDE }, (_row, y) => [
    0,
    ...Array.from({ length: SIDE }, (_column, x) => {
      if (!isInside(x, y)) return [0, 0, 0, 0];
      return figure(x / SIDE, y / SIDE) ? [255, 255, 255, 255] : [...colour, 255];
    }).flat(),
  ]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  // Eight bits of red, green, blue and alpha.
  header.set([8, 6], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
    chunk('IEND', new Uint8Array()),
  ]);
}
