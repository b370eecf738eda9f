import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBuffer } from 'yauzl-promise';
import { projectDirectory, sls } from '../../../../test/sls.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'throughline-package-'));
interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}
let template: Template;

beforeAll(async () => {
  // No credentials, and no way to any network but loopback: a proxy that nobody is.
  const offline = { HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' };
  const { code, stderr } = await sls(projectDirectory, ['package', '--package', directory], offline);
  expect(stderr).toContain('Service packaged');
  expect(code).toBe(0);
  template = JSON.parse(readFileSync(path.join(directory, 'cloudformation-template-update-stack.json'), 'utf8'));
});

afterAll(() => rmSync(directory, { recursive: true }));

const ofType = (type: string) => Object.values(template.Resources).filter((resource) => resource.Type === type);

async function filesIn(zip: string): Promise<string[]> {
  const archive = await fromBuffer(readFileSync(zip));
  const names: string[] = [];
  for await (const entry of archive) names.push(entry.filename);
  return names;
}

/** The functions that answer in pages, and read the secret of their cursors. */
const pages = new Set(['activity', 'home', 'message-groups', 'notifications', 'search']);

describe('sls package', () => {
  it('makes one zip per function, which holds its bundle, and those chunks that it may load', async () => {
    const functions = ofType('AWS::Lambda::Function').map(({ Properties }) => String(Properties.Handler));
    expect(functions.length).toBeGreaterThan(10);
    for (const handler of functions) {
      const key = path.basename(handler, '.handler');
      const [bundle, ...chunks] = await filesIn(path.join(directory, `${key}.zip`));
      expect(bundle).toBe(`handlers/${key}.js`);
      const names = ['rollbar', ...(pages.has(key) ? ['@aws-sdk/client-ssm'] : [])].sort();
      expect(chunks).toEqual(
        names.flatMap((name) => [`node_modules/${name}/index.js`, `node_modules/${name}/package.json`]),
      );
    }
  });

  it('switches tracing on for Lambda and API Gateway', () => {
    const modes = ofType('AWS::Lambda::Function').map(({ Properties }) => Properties.TracingConfig);
    expect(new Set(modes.map((mode) => JSON.stringify(mode)))).toEqual(new Set(['{"Mode":"Active"}']));
    const stages = JSON.stringify([ofType('AWS::ApiGateway::Stage'), ofType('AWS::ApiGateway::Deployment')]);
    expect(stages).toContain('"TracingEnabled":true');
  });

  it('has the table with its indexes, its expiry and its backups', () => {
    const [table] = ofType('AWS::DynamoDB::Table').map(({ Properties }) => Properties);
    expect(table?.GlobalSecondaryIndexes).not.toHaveLength(0);
    expect(table?.TimeToLiveSpecification).toMatchObject({ Enabled: true });
    expect(table?.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true });
  });
});
