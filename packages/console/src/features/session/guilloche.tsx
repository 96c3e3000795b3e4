import classes from './front-page.module.css';

const WIDTH = 1440;
const HEIGHT = 1000;
const LINES = 26;
const STEPS = 240;

/** The woven lines of a security print: a ring whose radius swings, drawn as one family of curves. */
function drawLine(line: number): string {
  const shift = line / LINES;
  const points = Array.from({ length: STEPS + 1 }, (_, step) => {
    const angle = (step / STEPS) * 2 * Math.PI;
    const swing = Math.sin(9 * angle + shift * 2.4) * 34 + Math.sin(14 * angle - shift * 5) * 22;
    const radius = 1 + (swing + (shift - 0.5) * 150 * Math.cos(5 * angle + 1)) / 560;
    const x = WIDTH / 2 + Math.cos(angle) * 640 * radius;
    const y = HEIGHT / 2 + Math.sin(angle) * 470 * radius;
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join('L')}Z`;
}

const PATHS = Array.from({ length: LINES }, (_, line) => drawLine(line));

export function Guilloche() {
  return (
    <svg
      className={classes.guilloche}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="xMidYMid slice"
      aria-hidden
      focusable="false"
    >
      {PATHS.map((path) => (
        <path key={path.slice(0, 24)} d={path} />
      ))}
    </svg>
  );
}
