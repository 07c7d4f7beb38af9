import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Threads that tests start load their modules from sources. Without the cache each brings up the WebAssembly that takes
// types out of them: half of what tests ask of the processors, and a suspect where Node.js crashed with "Check failed:
// jit_page.has_value()", which others saw where WebAssembly comes and goes in many threads (nodejs/node#64500)
process.env.NODE_COMPILE_CACHE ??= place('./node_modules/.cache/inboxd');

export default defineConfig({
  // so that examples read as they would in a program that has inboxd installed
  resolve: { alias: { 'inboxd/testing': place('./src/testing.ts') } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // a busy machine is no reason to fail
    expect: { poll: { timeout: 10_000 } },
  },
});
