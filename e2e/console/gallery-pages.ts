import type { PicturedPage } from './pages.ts';

/** What people without an account see of an open gallery, and what a package says of itself. */
export const GALLERY_PAGES: readonly PicturedPage[] = [
  { name: 'gallery', path: '/packages', as: null },
  { name: 'gallery-search', path: '/packages?q=factory', as: null },
  { name: 'gallery-nothing', path: '/packages?q=nothing-of-this-name', as: null },
  { name: 'gallery-package', path: '/packages/hayama.datafactory', as: null },
  { name: 'gallery-module', path: '/packages/hayamadsc', as: null },
  { name: 'gallery-unlisted', path: '/packages/hayama.datafactory/3.7.3', as: null },
  { name: 'gallery-gone', path: '/packages/no.such.package', as: null },
  { name: 'package-stranger', path: '/packages/hayama.telemetry', as: 'weiling.chen@hayama.example' },
];
