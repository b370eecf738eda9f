import { defineConfig } from 'vitest/config';

// The packages of this workspace resolve to their source; their builds exist only in tarballs.
const conditions = ['throughline-source'];

/** Tests of logic alone, which start no process: `npm run test:unit` is done in seconds. */
const unit = [
  'test/{architecture,deploy-variables,docker-compose,workflows}.test.ts',
  'test/docs/*.test.ts',
  'test/handlers/*.test.ts',
  'test/rehearsal/policies.test.ts',
  'test/src/{activities,messages,openapi,table}/*.test.ts',
  'packages/local/test/{explain,format,http,query,service,trace}/**/*.test.ts',
  'packages/local/test/cli/render/*.test.ts',
  'packages/local/test/gateway/**/*.test.ts',
  'packages/telemetry/test/redaction/*.test.ts',
];

export default defineConfig({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    // Real processes on two cores: a test that waits for one waits this long before it is called
    // broken.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'unit', include: unit } },
      {
        extends: true,
        test: { name: 'processes', include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'], exclude: unit },
      },
    ],
  },
});
