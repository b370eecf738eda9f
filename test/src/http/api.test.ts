import path from 'node:path';
import { runSeed } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disagreements, treesOf } from '../../../packages/telemetry/test/harness/agreement.ts';
import { type HarnessRequest, startLambdaHarness } from '../../../packages/telemetry/test/harness/lambda-harness.ts';
import { variables } from '../../fixtures/cruddur/in-process.ts';
import { startTable } from '../../fixtures/cruddur/table.ts';

const write = (message: string): HarnessRequest => ({
  path: '/api/activities',
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message, ttl: '7-days' }),
});

describe("a capability's span", () => {
  let table: Awaited<ReturnType<typeof startTable>>;

  beforeAll(async () => {
    table = await startTable();
    await runSeed('src/seed.ts', process.cwd(), variables(table.endpoint));
  });
  afterAll(() => table.stop());

  it.each<[key: string, status: number, capability: string, results: number | undefined, request: HarnessRequest]>([
    ['home', 200, 'home-activities', 3, { path: '/api/activities/home' }],
    ['notifications', 200, 'notifications', 1, { path: '/api/activities/notifications' }],
    ['create-activity', 200, 'create-activity', 1, write('hello there')],
    ['create-activity', 422, 'create-activity', undefined, write('')],
    ['rollbar-test', 200, 'rollbar-test', 1, { path: '/rollbar/test' }],
  ])(
    'of %s, answered %i, says the time, the user and the number of results, and nothing around it differs between X-Ray and OpenTelemetry',
    async (key, status, capability, results, request) => {
      const environment = variables(table.endpoint);
      const harness = await startLambdaHarness({
        layer: true,
        handler: path.resolve(`handlers/${key}.ts`),
        environment,
      });
      const invocation = await harness.invoke(request);
      const trees = await treesOf(harness, invocation);
      await harness.stop();

      expect(invocation.response?.statusCode).toBe(status);
      expect(disagreements(trees)).toEqual([]);
      expect(trees.otel.find(({ name }) => name === capability)?.attributes).toMatchObject({
        'app.now': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        'app.user_id': 'andrewbrown',
        ...(results === undefined ? {} : { 'app.result_length': results }),
      });
      expect(trees.xray.find(({ name }) => name === capability)?.annotations).toMatchObject({
        app_now: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        app_user_id: 'andrewbrown',
        ...(results === undefined ? {} : { app_result_length: results }),
      });
    },
  );
});
