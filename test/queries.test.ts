import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  GetQueryResultsCommand,
  StartQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Api } from './fixtures/cruddur/api.ts';
import { overHttp } from './fixtures/cruddur/over-http.ts';
import { projectDirectory } from './sls.ts';

const directory = path.join(projectDirectory, 'queries');
const files = globSync('*.json', { cwd: directory }).sort();
const insights = globSync('logs-insights/*.txt', { cwd: directory }).sort();

/**
 * Written on a request's event only after something was lost: held by
 * packages/telemetry/test/export/exporter.test.ts.
 */
const afterLoss = ['telemetry_lost'];

interface Answer {
  result: { rows: unknown[][]; notes: { message: string }[] };
}

describe('the saved queries', () => {
  let api: Api & { console: string };

  const ask = async (query: string): Promise<Answer> => {
    const response = await fetch(new URL('/api/query', api.console), { method: 'POST', body: query });
    expect(response.status).toBe(200);
    return (await response.json()) as Answer;
  };

  beforeAll(async () => {
    api = await overHttp();
    await api.send('GET', '/api/activities/home');
    await api.send('GET', '/api/activities/00000000-0000-4000-8000-000000000000');
    await api.send('GET', '/api/message_groups', { headers: { Authorization: 'Bearer andrewbrown' } });
    // Spans leave after the answer.
    const counted = { filters: [{ column: 'cold_start', op: 'exists' }] };
    await vi.waitFor(async () => expect((await ask(JSON.stringify(counted))).result.rows).toEqual([[3]]), 30_000);
  });

  afterAll(() => api?.stop());

  it('are the eight that the documentation names, each also for Logs Insights', () => {
    expect(files.map((file) => path.basename(file, '.json'))).toEqual(
      insights.map((file) => path.basename(file, '.txt')),
    );
    expect(files).toHaveLength(8);
  });

  it.each(files)('%s names only attributes that the handlers write', async (file) => {
    const text = readFileSync(path.join(directory, file), 'utf8');
    const { name, description } = JSON.parse(text) as Record<string, string>;
    expect(name).toMatch(/^[A-Z]/);
    expect(description).toMatch(/[?].*$/);
    const { notes, rows } = (await ask(text)).result;
    const unknown = notes.filter(({ message }) => !afterLoss.some((attribute) => message.includes(`"${attribute}"`)));
    expect(unknown).toEqual([]);
    expect(rows.length > 0).toBe(!text.includes('telemetry_lost'));
  });

  it('count every request', async () => {
    const text = readFileSync(path.join(directory, 'requests-by-release.json'), 'utf8');
    const { rows } = (await ask(text)).result;
    expect(rows.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(3);
  });

  /** Starts a query over the log groups of all functions, and waits for its rows. */
  async function askInsights(queryString: string): Promise<Record<string, string | undefined>[]> {
    const status = (await (await fetch(new URL('/api/status', api.console))).json()) as {
      addresses: { otlp: string };
    };
    const logs = new CloudWatchLogsClient({
      endpoint: status.addresses.otlp,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ limit: 50 }));
    const now = Math.floor(Date.now() / 1000);
    const { queryId } = await logs.send(
      new StartQueryCommand({
        logGroupNames: logGroups.map(({ logGroupName = '' }) => logGroupName),
        startTime: now - 600,
        endTime: now + 60,
        queryString,
      }),
    );
    const read = () => logs.send(new GetQueryResultsCommand({ queryId }));
    await expect.poll(async () => (await read()).status, { timeout: 30_000 }).toBe('Complete');
    const { results = [] } = await read();
    return results.map((row) => Object.fromEntries(row.map(({ field = '', value }) => [field, value])));
  }

  it.each(insights)('%s finds the fields of the lines that the functions write', async (file) => {
    const text = readFileSync(path.join(directory, file), 'utf8');
    const rows = await askInsights(text);
    expect(rows.length > 0).toBe(!file.includes('telemetry-lost'));
    for (const [, field = ''] of text.matchAll(/\bby ([\w.@]+)/g))
      expect(Object.keys(rows[0] ?? { [field]: '' })).toContain(field);
  });

  it('run on the laptop too where `sls deploy` saves them for Logs Insights', async () => {
    const made = await createRequire(import.meta.url)('../resources/log-queries.cjs')({
      resolveConfigurationProperty: async ([name]: string[]) => (name === 'functions' ? { home: {} } : name),
    });
    const definitions = Object.values(made.Resources) as { Properties: { Name: string; QueryString: string } }[];
    expect(definitions.length).toBeGreaterThan(5);
    const found: Record<string, number> = {};
    for (const { Properties } of definitions) {
      const name = Properties.Name.split('/').at(-1) ?? '';
      found[name] = (await askInsights(Properties.QueryString)).length;
    }
    expect(found).toMatchObject({ availability: 0, latency: 3, 'slowest-requests': 3, throttles: 3, 'one-trace': 0 });
  });
});
