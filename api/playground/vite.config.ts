import { defineConfig } from 'vite';

/** While the page is worked on, `npm run dev` asks this hub: `cargo run`, or any other. */
const hub = process.env['SAMVERKA_HUB'] ?? 'http://127.0.0.1:8080';
const asked = ['/graphql', '/sandbox', '/schema.graphql', '/schema.json', '/playground/config.json'];

export default defineConfig(({ mode }) => ({
  base: '/playground/',
  // The page has no plugin: JSX is the bundler's own.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // graphql-js asks at run time whether this is production; asked here, the checks for developers stay out.
  define: mode === 'production' ? { 'globalThis.process.env.NODE_ENV': '"production"', 'globalThis.process': 'true' } : {},
  server: { proxy: Object.fromEntries(asked.map((path) => [path, hub])) },
  build: {
    target: 'es2022',
    // Written into `.vite/license.md`, and from there to `licenses.md` by build/finish.mjs.
    license: true,
    // The Content-Security-Policy allows no `data:` and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
}));
