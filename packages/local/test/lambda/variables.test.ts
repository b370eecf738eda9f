import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { mapLayerPaths } from '../../src/lambda/sandbox/variables.ts';
import { bench, lambda } from './platform.ts';

const app = { 'app.js': 'exports.handler = async () => process.env;' };

it('gives a function the variables of Lambda, and nothing of the shell that the platform was started from', async () => {
  process.env.SECRET_OF_THE_DEVELOPER = 'here';
  const { invoke, code } = await bench({ files: app });
  const variables = (await invoke()).value as Record<string, string>;
  expect(variables).toEqual({
    _HANDLER: 'app.handler',
    _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=/),
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_REGION: 'eu-west-1',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: 'service-test-main',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/service-test-main',
    AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
    AWS_LAMBDA_RUNTIME_API: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    LAMBDA_TASK_ROOT: code,
    LAMBDA_RUNTIME_DIR: expect.any(String),
    LANG: 'en_US.UTF-8',
    NODE_PATH: expect.stringContaining(code),
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    TZ: ':UTC',
  });
});

it('puts the function’s own variables over those of the local cloud, and neither over what is reserved', async () => {
  const { invoke } = await bench({
    files: app,
    functions: [
      lambda({
        environment: {
          TABLE: 'own',
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'own',
          AWS_XRAY_CONTEXT_MISSING: 'IGNORE_ERROR',
          AWS_LAMBDA_FUNCTION_NAME: 'another',
        },
      }),
    ],
    environment: {
      TABLE: 'cloud',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:8000',
      AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_LAMBDA_FUNCTION_NAME: 'cloud',
    },
  });
  expect((await invoke()).value).toMatchObject({
    TABLE: 'own',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:8000',
    AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
    AWS_XRAY_CONTEXT_MISSING: 'IGNORE_ERROR',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_LAMBDA_FUNCTION_NAME: 'service-test-main',
  });
});

it.each([
  ['/opt/otel-handler', '/layer/otel-handler'],
  ['--require /opt/a.js --import=/opt/b.mjs', '--require /layer/a.js --import=/layer/b.mjs'],
  ['--import file:///opt/b.mjs', '--import file:///layer/b.mjs'],
  ['/opt/a:/opt/b', '/layer/a:/layer/b'],
  ['/home/opt/a /optional/b ./opt/c', '/home/opt/a /optional/b ./opt/c'],
])('maps %s to the folder that stands for /opt', (text, mapped) => {
  expect(mapLayerPaths(text, '/layer')).toBe(mapped);
});
