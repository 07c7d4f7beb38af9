import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // so that examples read as they would in a program that has inboxd installed
  resolve: { alias: { 'inboxd/testing': fileURLToPath(new URL('./src/testing.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // a busy machine is no reason to fail
    expect: { poll: { timeout: 10_000 } },
  },
});
