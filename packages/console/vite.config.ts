import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The server of `npm start`, for work on the console with `npm run dev -w @keyreeve/console`. */
const SERVER = 'http://localhost:8080';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    // Browsers that know light-dark(): what replaces it for older ones does not see the colour scheme that Mantine sets.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsDir: 'assets/console',
    // A `data:` picture or an inline polyfill would need holes in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': SERVER, '/healthz': SERVER, '/docs': SERVER } },
});
