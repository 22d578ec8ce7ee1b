import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    setupFiles: ['tests/setup.ts'],
    // Spawned commands and property tests share the machine with everything else that CI runs.
    testTimeout: 120_000,
  },
});
