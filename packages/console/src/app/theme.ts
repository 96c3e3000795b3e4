import { type CSSVariablesResolver, createTheme, rem, virtualColor } from '@mantine/core';

import { amber, dark, gray, green, iris, red, reeve } from './colours.ts';

/** 34 px: dense, yet a target that a finger hits. */
const control = { '--button-height': rem(34), '--button-padding-x': rem(14) };
export const theme = createTheme({
  colors: {
    reeve,
    gray,
    dark,
    green,
    amber,
    red,
    iris,
    primary: virtualColor({ name: 'primary', light: 'reeve', dark: 'reeve' }),
  },
  primaryColor: 'primary',
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  luminanceThreshold: 0.25,
  white: '#fff',
  black: '#13181b',
  respectReducedMotion: true,
  cursorType: 'pointer',
  fontFamily:
    '-apple-system, BlinkMacSystemFont, "Segoe UI Variable Text", "Segoe UI", Inter, Roboto, "Helvetica Neue", "Hiragino Sans", "Yu Gothic UI", "Noto Sans JP", "Noto Sans CJK JP", Meiryo, sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "Noto Sans CJK JP", monospace',
  fontSizes: { xs: rem(12), sm: rem(14), md: rem(16), lg: rem(18), xl: rem(20) },
  lineHeights: { xs: '1.5', sm: '1.5', md: '1.5', lg: '1.45', xl: '1.4' },
  fontWeights: { regular: '400', medium: '500', bold: '600' },
  headings: {
    fontWeight: '600',
    textWrap: 'pretty',
    sizes: {
      h1: { fontSize: rem(18), lineHeight: '1.45' },
      h2: { fontSize: rem(16), lineHeight: '1.5' },
      h3: { fontSize: rem(14), lineHeight: '1.45' },
      h4: { fontSize: rem(14), lineHeight: '1.45' },
      h5: { fontSize: rem(12), lineHeight: '1.5' },
      h6: { fontSize: rem(12), lineHeight: '1.5' },
    },
  },
  radius: { xs: rem(4), sm: rem(6), md: rem(8), lg: rem(12), xl: rem(16) },
  defaultRadius: 'sm',
  spacing: { xs: rem(8), sm: rem(12), md: rem(16), lg: rem(24), xl: rem(32) },
  breakpoints: { xs: '30em', sm: '48em', md: '62em', lg: '75em', xl: '90em' },
  shadows: {
    xs: '0 1px 2px rgba(19,24,27,.05)',
    md: '0 8px 24px -6px rgba(19,24,27,.16), 0 0 0 1px rgba(19,24,27,.06)',
    xl: '0 24px 64px -12px rgba(19,24,27,.32), 0 0 0 1px rgba(19,24,27,.06)',
  },
  components: {
    Button: {
      defaultProps: { size: 'sm' },
      vars: (_t: unknown, p: { size?: string }) => ({
        root:
          p.size === 'xs'
            ? { '--button-height': rem(28), '--button-padding-x': rem(10), '--button-fz': rem(13) }
            : control,
      }),
    },
    Input: {
      vars: (_t: unknown, p: { size?: string }) => ({
        wrapper: {
          '--input-bg': 'var(--kr-input)',
          ...(!p.size || p.size === 'sm' ? { '--input-height': rem(34) } : {}),
        },
      }),
    },
    Alert: {
      vars: (_t: unknown, p: { color?: string }) => ({
        root: { '--alert-bd': `1px solid var(--kr-${p.color ?? 'primary'}-line)` },
      }),
    },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 28 } },
    Badge: {
      defaultProps: { variant: 'light', tt: 'none', fw: 500 },
      vars: () => ({ root: { '--badge-fz': rem(12), '--badge-padding-x': rem(8) } }),
    },
    Table: {
      defaultProps: {
        verticalSpacing: 'sm',
        horizontalSpacing: 'sm',
        highlightOnHover: true,
        tabularNums: true,
      },
    },
    Modal: {
      styles: {
        content: { backgroundColor: 'var(--kr-raised)' },
        header: { backgroundColor: 'var(--kr-raised)' },
      },
      defaultProps: {
        radius: 'lg',
        shadow: 'xl',
        overlayProps: { backgroundOpacity: 0.46 },
        transitionProps: { duration: 120 },
      },
    },
    Text: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 300, radius: 'sm' } },
  },
});
const HUES = ['primary', 'reeve', 'green', 'amber', 'red', 'iris'];
const shade = (colour: string, step: number) => `var(--mantine-color-${colour}-${step})`;

/** Ground, words and line of light parts (badges, alerts) in every hue; without `ground` Mantine's own stays. */
function toneVariables(ground: number | null, words: number, line: number): Record<string, string> {
  const entries = HUES.flatMap((hue): [string, string][] => [
    ...(ground === null
      ? []
      : ([[`--mantine-color-${hue}-light`, shade(hue, ground)]] as [string, string][])),
    [`--mantine-color-${hue}-light-color`, shade(hue, words)],
    [`--kr-${hue}-line`, shade(hue, line)],
  ]);
  return Object.fromEntries(entries);
}

export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...toneVariables(0, 8, 2),
    '--mantine-color-text': shade('gray', 9),
    '--mantine-color-placeholder': shade('gray', 6),
    '--mantine-color-default-border': shade('gray', 4),
    '--mantine-color-error': shade('red', 7),
    '--mantine-color-success': shade('green', 7),
    '--mantine-color-disabled-color': shade('gray', 6),
    '--kr-nav': shade('gray', 0),
    '--kr-raised': '#fff',
    '--kr-input': '#fff',
    '--kr-line': shade('gray', 3),
  },
  dark: {
    ...toneVariables(null, 3, 9),
    // Under the pointer a button grows lighter: a darker one would leave its dark word too little contrast.
    '--mantine-color-primary-filled-hover': shade('reeve', 4),
    '--mantine-color-placeholder': shade('dark', 2),
    '--mantine-color-default-border': '#3d464b',
    '--mantine-color-error': shade('red', 4),
    '--mantine-color-success': shade('green', 4),
    '--kr-nav': shade('dark', 8),
    '--kr-raised': shade('dark', 6),
    '--kr-input': shade('dark', 8),
    '--kr-line': shade('dark', 4),
  },
});
