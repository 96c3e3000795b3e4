import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The server of `npm start`, for work on the console with `npm run dev -w @keyreeve/console`. */
const SERVER = 'http://localhost:8080';

/**
 * Rules of the same weight go by their order, and the bundler orders styles by chunks: without this, the library's
 * would come after those of ours that happen to lie in a chunk of their own.
 */
const baseStylesFirst: Plugin = {
  name: 'base-styles-first',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => {
      const base = /\s*<link rel="stylesheet"[^>]*\/base-[^>]*>/.exec(html)?.[0];
      if (base === undefined) throw new Error('The page links no base styles.');
      return html.replace(base, '').replace(/\s*<link rel="(?:stylesheet|modulepreload)"/, `${base}$&`);
    },
  },
};

export default defineConfig({
  plugins: [react(), baseStylesFirst],
  build: {
    target: 'es2023',
    // Browsers that know light-dark(): what replaces it for older ones does not see the colour scheme that Mantine sets.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsDir: 'assets/console',
    // A `data:` picture or an inline polyfill would need holes in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: 'base', test: /[\\/](?:@mantine[\\/].*|app[\\/]global)\.css$/ }],
        },
      },
    },
  },
  server: { proxy: { '/v1': SERVER, '/healthz': SERVER, '/docs': SERVER } },
});
