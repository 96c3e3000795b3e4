import {
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  rem,
  virtualColor,
} from '@mantine/core';

const reeve: MantineColorsTuple = [
  '#effafc',
  '#dbf2f5',
  '#bce4ea',
  '#94d2db',
  '#66bcc8',
  '#3da2b0',
  '#1d8895',
  '#0d6e7a',
  '#07565f',
  '#073b42',
];
const gray: MantineColorsTuple = [
  '#f9fafb',
  '#f2f4f6',
  '#e8ebed',
  '#dce0e3',
  '#c8cdd1',
  '#8d959a',
  '#626a70',
  '#4a5258',
  '#2f353a',
  '#13181b',
];
const dark: MantineColorsTuple = [
  '#e6eaec',
  '#c8cdd0',
  '#9ea6ab',
  '#7e888e',
  '#31383c',
  '#22282c',
  '#191e21',
  '#111619',
  '#0d1013',
  '#080b0d',
];
const green: MantineColorsTuple = [
  '#f1fcf4',
  '#ddf6e4',
  '#bdebcb',
  '#95deae',
  '#69c88e',
  '#45b073',
  '#2c965d',
  '#227a4a',
  '#186039',
  '#124227',
];
const amber: MantineColorsTuple = [
  '#fffbf1',
  '#fff1d7',
  '#ffe0a3',
  '#fcca72',
  '#f3b44a',
  '#e49b2e',
  '#c77d21',
  '#a36120',
  '#814a1d',
  '#5a3117',
];
const red: MantineColorsTuple = [
  '#fff8f7',
  '#ffeae8',
  '#ffd4cf',
  '#ffafa8',
  '#f8867f',
  '#ec5f5a',
  '#db4241',
  '#c12d30',
  '#9b2426',
  '#6a1d1c',
];
const iris: MantineColorsTuple = [
  '#f7f8ff',
  '#eceeff',
  '#dadffe',
  '#c2cafc',
  '#a5aef4',
  '#8992eb',
  '#7178dd',
  '#5c61c6',
  '#474ba0',
  '#323570',
];

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
const hues = ['primary', 'reeve', 'green', 'amber', 'red', 'iris'];
const v = (c: string, n: number) => `var(--mantine-color-${c}-${n})`;
const tones = (bg: number | null, text: number, line: number) =>
  Object.assign(
    {},
    ...hues.map((c) => ({
      ...(bg === null ? {} : { [`--mantine-color-${c}-light`]: v(c, bg) }),
      [`--mantine-color-${c}-light-color`]: v(c, text),
      [`--kr-${c}-line`]: v(c, line),
    })),
  );
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...tones(0, 8, 2),
    '--mantine-color-text': v('gray', 9),
    '--mantine-color-placeholder': v('gray', 6),
    '--mantine-color-default-border': v('gray', 4),
    '--mantine-color-error': v('red', 7),
    '--mantine-color-success': v('green', 7),
    '--mantine-color-disabled-color': v('gray', 6),
    '--kr-nav': v('gray', 0),
    '--kr-raised': '#fff',
    '--kr-input': '#fff',
    '--kr-line': v('gray', 3),
  },
  dark: {
    ...tones(null, 3, 9),
    // Under the pointer a button grows lighter: a darker one would leave its dark word too little contrast.
    '--mantine-color-primary-filled-hover': v('reeve', 4),
    '--mantine-color-placeholder': v('dark', 2),
    '--mantine-color-default-border': '#3d464b',
    '--mantine-color-error': v('red', 4),
    '--mantine-color-success': v('green', 4),
    '--kr-nav': v('dark', 8),
    '--kr-raised': v('dark', 6),
    '--kr-input': v('dark', 8),
    '--kr-line': v('dark', 4),
  },
});
