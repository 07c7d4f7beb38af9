import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const below = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Builds the page of src/web into dist/web, where src/http/page.ts finds it. */
export default defineConfig({
  root: below('src/web'),
  // relative, so that a proxy may serve the page below a path of its own
  base: './',
  plugins: [svelte({ configFile: false })],
  build: {
    outDir: below('dist/web'),
    emptyOutDir: true,
    target: 'es2023',
    // an inlined file would need a looser policy than the page has
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8025', '/frame': 'http://127.0.0.1:8025' } },
});
