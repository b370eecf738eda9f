import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCloudWatch, runCloudWatch } from './run-cloudwatch.ts';

function cliVersion(): string | undefined {
  try {
    return execFileSync('aws', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
  } catch {
    return undefined;
  }
}

const version = cliVersion();
const group = '/aws/lambda/shop-dev-home';
const stream = '2026/11/26/[$LATEST]aaaa';
const start = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
const seconds = (milliseconds: number) => String(milliseconds / 1000);

describe.skipIf(version === undefined)(
  `AWS's CLI (skipped where there is no aws on the PATH)`,
  { timeout: 120_000 },
  () => {
    let cloudWatch: RunningCloudWatch;
    let home: string;

    beforeAll(async () => {
      cloudWatch = await runCloudWatch([group]);
      // Its home is empty: nothing of who runs this, neither profile nor credentials, is read.
      home = await mkdtemp(join(tmpdir(), 'throughline-aws-'));
      cloudWatch.write(group, stream, start, '{"level":"ERROR","status":500}', '{"level":"INFO","status":200}');
      cloudWatch.store.metric({
        source: 'emf',
        timeMilliseconds: start,
        namespace: 'Shop',
        name: 'Latency',
        unit: 'Milliseconds',
        dimensions: { route: '/a' },
        values: [10, 30],
      });
    });

    afterAll(async () => {
      await cloudWatch.stop();
      await rm(home, { recursive: true, force: true });
    });

    async function aws(...args: string[]): Promise<string> {
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
        AWS_ENDPOINT_URL: cloudWatch.endpoint,
      };
      const { stdout } = await promisify(execFile)('aws', ['--output', 'json', ...args], { env, timeout: 60_000 });
      return stdout;
    }
    const answer = async (...args: string[]) => JSON.parse(await aws(...args)) as Record<string, unknown>;

    it('lists groups, and reads lines by a pattern and by stream', async () => {
      expect(await answer('logs', 'describe-log-groups')).toMatchObject({ logGroups: [{ logGroupName: group }] });
      const pattern = ['--filter-pattern', '{ $.level = "ERROR" }'];
      expect(await answer('logs', 'filter-log-events', '--log-group-name', group, ...pattern)).toMatchObject({
        events: [{ message: '{"level":"ERROR","status":500}', logStreamName: stream }],
      });
      const named = ['--log-group-name', group, '--log-stream-name', stream, '--limit', '1'];
      expect(await answer('logs', 'get-log-events', ...named)).toMatchObject({
        events: [{ message: '{"level":"INFO","status":200}' }],
      });
    });

    it.skipIf(version?.startsWith('aws-cli/1'))('tails a group (version 2 alone has the command)', async () => {
      const lines = (await aws('logs', 'tail', group, '--since', '1h', '--format', 'short')).trim().split('\n');
      expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
        '{"level":"ERROR","status":500}',
        '{"level":"INFO","status":200}',
      ]);
    });

    it('runs a query of Logs Insights', async () => {
      const range = ['--start-time', seconds(start - 60_000), '--end-time', seconds(start + 60_000)];
      const text = 'stats count(*) as lines by level | sort level';
      const started = await answer('logs', 'start-query', '--log-group-name', group, ...range, '--query-string', text);
      const read = () => answer('logs', 'get-query-results', '--query-id', String(started.queryId));
      await expect.poll(read, { timeout: 30_000 }).toMatchObject({
        status: 'Complete',
        results: [
          [
            { field: 'level', value: 'ERROR' },
            { field: 'lines', value: '1' },
          ],
          [
            { field: 'level', value: 'INFO' },
            { field: 'lines', value: '1' },
          ],
        ],
      });
    });

    it('lists metrics and reads their data', async () => {
      const dimensions = [{ Name: 'route', Value: '/a' }];
      expect(await answer('cloudwatch', 'list-metrics', '--namespace', 'Shop')).toMatchObject({
        Metrics: [{ Namespace: 'Shop', MetricName: 'Latency', Dimensions: dimensions }],
      });
      const Metric = { Namespace: 'Shop', MetricName: 'Latency', Dimensions: dimensions };
      const queries = JSON.stringify([{ Id: 'p', MetricStat: { Metric, Period: 60, Stat: 'Average' } }]);
      const range = ['--start-time', seconds(start - 60_000), '--end-time', seconds(start + 60_000)];
      const data = await answer('cloudwatch', 'get-metric-data', ...range, '--metric-data-queries', queries);
      expect(data).toMatchObject({ MetricDataResults: [{ Id: 'p', Values: [20], StatusCode: 'Complete' }] });
      const named = ['--namespace', 'Shop', '--metric-name', 'Latency', '--dimensions', 'Name=route,Value=/a'];
      const period = ['--period', '60', '--statistics', 'Maximum'];
      expect(await answer('cloudwatch', 'get-metric-statistics', ...named, ...range, ...period)).toMatchObject({
        Datapoints: [{ Maximum: 30, Unit: 'Milliseconds' }],
      });
    });
  },
);
