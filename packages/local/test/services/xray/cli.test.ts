import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, request, runXray, traceId } from './fixture.ts';

function cliVersion(): string | undefined {
  try {
    return execFileSync('aws', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
  } catch {
    return undefined;
  }
}

const version = cliVersion();

describe.skipIf(version === undefined)(
  `AWS's CLI (skipped where there is no aws on the PATH)`,
  { timeout: 120_000 },
  () => {
    let xray: Running;
    let home: string;

    beforeAll(async () => {
      xray = await runXray();
      // Its home is empty: nothing of who runs this, neither profile nor credentials, is read.
      home = await mkdtemp(join(tmpdir(), 'throughline-aws-'));
      for (const document of [...request(1), ...request(2, { fault: true })]) xray.store.segment(document);
    });

    afterAll(async () => {
      await xray.stop();
      await rm(home, { recursive: true, force: true });
    });

    async function aws(...args: string[]): Promise<{ code: number; answer: Record<string, unknown>; error: string }> {
      const env = {
        PATH: process.env.PATH,
        HOME: home,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_DEFAULT_REGION: 'eu-west-1',
        AWS_CONFIG_FILE: join(home, 'config'),
        AWS_SHARED_CREDENTIALS_FILE: join(home, 'credentials'),
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_PAGER: '',
      };
      const command = ['--endpoint-url', xray.endpoint, '--output', 'json', 'xray', ...args];
      try {
        const { stdout } = await promisify(execFile)('aws', command, { env, timeout: 60_000 });
        return { code: 0, answer: JSON.parse(stdout), error: '' };
      } catch (error) {
        const { code, stderr } = error as { code: number; stderr: string };
        return { code, answer: {}, error: stderr };
      }
    }

    const RANGE = ['--start-time', '1699999000', '--end-time', '1700001000'];

    it('puts a segment that batch-get-traces then gives back', async () => {
      const [document] = request(3);
      const put = await aws('put-trace-segments', '--trace-segment-documents', JSON.stringify(document));
      expect(put).toMatchObject({ code: 0, answer: { UnprocessedTraceSegments: [] } });
      const got = await aws('batch-get-traces', '--trace-ids', traceId(3));
      expect(got.answer.Traces).toMatchObject([{ Id: traceId(3), Segments: [{ Id: document?.id }] }]);
    });

    it('lists summaries by time range and filter', async () => {
      const got = await aws('get-trace-summaries', ...RANGE, '--filter-expression', 'fault');
      expect(got.answer.TraceSummaries).toMatchObject([{ Id: traceId(2), HasFault: true }]);
    });

    it('is told in one line what is wrong with a filter', async () => {
      const got = await aws('get-trace-summaries', ...RANGE, '--filter-expression', 'fault AND');
      expect(got.code).not.toBe(0);
      expect(got.error).toContain('InvalidRequestException');
      expect(got.error).toContain('A keyword is missing before the end at position 9');
    });

    it('gets the sampling rules and the map', async () => {
      expect((await aws('get-sampling-rules')).answer.SamplingRuleRecords).toHaveLength(2);
      expect((await aws('get-trace-graph', '--trace-ids', traceId(1))).answer.Services).toHaveLength(5);
      expect((await aws('get-service-graph', ...RANGE)).code).toBe(0);
    });
  },
);
