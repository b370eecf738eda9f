import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectDirectory, sls } from '../sls.ts';

interface Resource {
  Type: string;
  DeletionPolicy?: string;
  DependsOn?: string | string[];
  // biome-ignore lint/suspicious/noExplicitAny: a template's properties are of any shape
  Properties: any;
}
type Resources = Record<string, Resource>;

const settings = {
  FRONTEND_URL: 'https://app.example.com',
  IDENTITY_ISSUER: 'https://login.example.com',
  IDENTITY_AUDIENCE: 'cruddur',
};
const planted = {
  CURSOR_SECRET: 'planted-cursor-secret-0123456789',
  ROLLBAR_ACCESS_TOKEN: 'planted0rollbar0token0123456789ab',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=planted-honeycomb-key',
};

const directories: string[] = [];
function scratch(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'throughline-package-'));
  directories.push(directory);
  return directory;
}
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

async function packaged(stage: string, variables: Record<string, string>) {
  const directory = scratch();
  const ended = await sls(projectDirectory, ['package', '--stage', stage, '--package', directory], variables);
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  const template = readFileSync(path.join(directory, 'cloudformation-template-update-stack.json'), 'utf8');
  return { directory, output: ended.stdout + ended.stderr, resources: JSON.parse(template).Resources as Resources };
}

function ofType(resources: Resources, type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}

describe('a stage other than dev', () => {
  it.each(Object.keys(settings))('is not packaged without %s, and the command that sets it is named', async (name) => {
    const variables: Record<string, string> = { ...settings, [name]: '' };
    const { code, stdout, stderr } = await sls(projectDirectory, ['package', '--stage', 'prod'], variables);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(`${name}: export ${name}=`);
    expect(stdout + stderr).not.toMatch(/\n\s+at /);
  });

  it('names everything that is missing at once', async () => {
    const { stdout, stderr } = await sls(projectDirectory, ['package', '--stage', 'staging']);
    for (const name of Object.keys(settings)) expect(stdout + stderr).toContain(`export ${name}=`);
  });

  it('is not packaged with an origin of this machine', async () => {
    const variables = { ...settings, FRONTEND_URL: 'http://localhost:3000' };
    const { code, stdout, stderr } = await sls(projectDirectory, ['package', '--stage', 'prod'], variables);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('FRONTEND_URL names this machine ("http://localhost:3000")');
  });
});

describe("prod's package", () => {
  let prod: Awaited<ReturnType<typeof packaged>>;
  beforeAll(async () => {
    prod = await packaged('prod', { ...settings, ...planted });
  });

  it('has no secret of the shell in the template, the state, a bundle or the output', () => {
    const secrets = ['planted-cursor', 'planted0rollbar', 'planted-honeycomb'];
    const files = readdirSync(prod.directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    expect(files.length).toBeGreaterThan(15);
    for (const file of files) {
      const text = textOf(path.join(file.parentPath, file.name));
      for (const secret of secrets) expect(text.includes(secret), `${file.name} has ${secret}`).toBe(false);
    }
    for (const secret of secrets) expect(prod.output).not.toContain(secret);
  });

  it('names nothing of this machine in the template', () => {
    expect(JSON.stringify(prod.resources)).not.toMatch(/localhost|127\.0\.0\.1/);
  });

  it('has no route that tests Rollbar; dev has', async () => {
    expect(prod.resources).not.toHaveProperty('RollbarDashtestLambdaFunction');
    const dev = await sls(projectDirectory, ['print', '--stage', 'dev', '--path', 'functions']);
    expect(dev.stdout).toContain('rollbar-test:');
  });

  it('has an API that traces, logs and throttles from its creation', () => {
    const stage = prod.resources.ApiGatewayStage?.Properties;
    expect(stage.TracingEnabled).toBe(true);
    expect(JSON.parse(stage.AccessLogSetting.Format)).toMatchObject({
      xray_trace_id: '$context.xrayTraceId',
      latency_ms: '$context.responseLatency',
    });
    const throttled = stage.MethodSettings.map((setting: Record<string, unknown>) => setting.ResourcePath);
    expect(throttled).toContain('/*');
    expect(throttled).toContain('/~1api~1activities~1{id}~1reply');
    for (const setting of stage.MethodSettings) expect(setting.DataTraceEnabled).toBe(false);
    const [[id, deployment] = ['', undefined]] = ofType(prod.resources, 'AWS::ApiGateway::Deployment');
    expect(stage.DeploymentId).toEqual({ Ref: id });
    expect(deployment?.Properties).not.toHaveProperty('StageName');
    expect(prod.resources.ApiGatewayRestApi?.Properties.EndpointConfiguration.Types).toEqual(['REGIONAL']);
  });

  it('has a role per function, with its own actions and a wildcard for X-Ray only', () => {
    const functions = ofType(prod.resources, 'AWS::Lambda::Function');
    const roles = functions.map(([, { Properties }]) => Properties.Role['Fn::GetAtt'][0]);
    expect(new Set(roles).size).toBe(functions.length);
    for (const role of roles) {
      for (const statement of prod.resources[role]?.Properties.Policies[0].PolicyDocument.Statement ?? []) {
        const actions = [statement.Action].flat().join(' ');
        expect(actions).not.toMatch(/\*|Scan|Delete|CreateLogGroup/);
        if (statement.Resource === '*') expect(actions).toMatch(/^xray:/);
      }
    }
    expect(JSON.stringify(prod.resources.HealthIamRoleLambdaExecution)).not.toContain('dynamodb');
    expect(prod.resources).not.toHaveProperty('IamRoleLambdaExecution');
  });

  it('has functions of one kind, each with its log group and retention', () => {
    for (const [, { Properties }] of ofType(prod.resources, 'AWS::Lambda::Function')) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
      expect(Properties.Timeout).toBeLessThan(29);
    }
    const groups = ofType(prod.resources, 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(14);
    for (const [, { Properties }] of groups) expect(Properties.RetentionInDays).toBe(30);
  });

  it('has a table that is backed up, protected, and never blocks a later deploy', () => {
    const table = prod.resources.Table;
    expect(table?.DeletionPolicy).toBe('RetainExceptOnCreate');
    expect(table?.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'delete_after', Enabled: true },
    });
    const kept = Object.values(prod.resources).filter(
      // Versions of functions and layers are numbered: a kept one is in nobody's way.
      ({ DeletionPolicy = 'Delete', Type }) => DeletionPolicy !== 'Delete' && !/Version$/.test(Type),
    );
    for (const { DeletionPolicy, Properties } of kept) {
      expect(DeletionPolicy).toBe('RetainExceptOnCreate');
      expect(Object.keys(Properties).filter((name) => /^(Table|Role|Bucket|Topic|LogGroup)Name$/.test(name))).toEqual(
        [],
      );
    }
  });

  it('has alarms on symptoms, each with a query, traces and a place in the runbook', () => {
    const runbook = readFileSync(path.join(projectDirectory, 'docs/runbook.md'), 'utf8');
    const alarms = Object.entries(prod.resources).filter(
      ([, { Type, Properties }]) => /Alarm$/.test(Type) && Properties.AlarmActions,
    );
    expect(alarms.map(([id]) => id).sort()).toEqual(
      [
        'AvailabilityFast',
        'AvailabilitySlow',
        'LambdaThrottles',
        'LatencyFast',
        'LatencySlow',
        'TableThrottles',
        'TelemetryLoss',
      ].sort(),
    );
    const queries = ofType(prod.resources, 'AWS::Logs::QueryDefinition').map(([, { Properties }]) => Properties.Name);
    for (const [, { Properties }] of alarms) {
      expect(Properties.AlarmActions).toEqual([{ Ref: 'AlarmTopic' }]);
      const text: string = Properties.AlarmDescription['Fn::Sub'];
      expect(text.length).toBeLessThan(1024);
      expect(text).toContain('#xray:traces/query');
      expect(queries).toContain(/saved query ([^,]+),/.exec(text)?.[1]);
      const anchor = /docs\/runbook\.md#([\w-]+)/.exec(text)?.[1] ?? '';
      expect(runbook.toLowerCase()).toContain(`\n## ${anchor.replaceAll('-', ' ')}\n`);
    }
  });

  it('has a dashboard whose body is JSON', () => {
    const [[, dashboard] = []] = ofType(prod.resources, 'AWS::CloudWatch::Dashboard');
    expect(JSON.parse(dashboard?.Properties.DashboardBody['Fn::Sub']).widgets.length).toBeGreaterThan(10);
  });

  it('has metrics of its own: its alarms and graphs read no other stage', () => {
    for (const [, { Properties }] of ofType(prod.resources, 'AWS::Lambda::Function')) {
      expect(Properties.Environment.Variables.POWERTOOLS_METRICS_NAMESPACE).toBe('Cruddur/prod');
    }
    const readers = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard'].flatMap((type) =>
      ofType(prod.resources, type),
    );
    const namespaces = JSON.stringify(readers).match(/Cruddur[^",\\]*/g) ?? [];
    expect([namespaces.length > 6, [...new Set(namespaces)]]).toEqual([true, ['Cruddur/prod']]);
  });

  it('tags its resources', () => {
    for (const [, { Properties }] of ofType(prod.resources, 'AWS::Lambda::Function')) {
      expect(Properties.Tags).toContainEqual({ Key: 'stage', Value: 'prod' });
    }
  });
});

describe("prod's package with every addition that a setting makes", () => {
  let resources: Resources;
  beforeAll(async () => {
    ({ resources } = await packaged('prod', {
      FRONTEND_URL: settings.FRONTEND_URL,
      IDENTITY: 'cognito',
      WAF: 'on',
      DOMAIN_NAME: 'api.example.com',
      DOMAIN_CERTIFICATE_ARN: 'arn:aws:acm:us-east-1:123456789012:certificate/1',
    }));
  });

  it('has a Cognito user pool and client with IDENTITY=cognito, and no issuer to name', () => {
    expect(ofType(resources, 'AWS::Cognito::UserPool')).toHaveLength(1);
    expect(resources.HomeLambdaFunction?.Properties.Environment.Variables.IDENTITY_AUDIENCE).toEqual({
      Ref: 'UserPoolClient',
    });
  });

  it('has a web ACL on its stage with WAF=on', () => {
    expect(ofType(resources, 'AWS::WAFv2::WebACL')).toHaveLength(1);
    expect(resources.WebAclAssociation).toMatchObject({
      DependsOn: ['ApiGatewayStage'],
      Properties: { ResourceArn: { 'Fn::Sub': expect.stringContaining('/restapis/${ApiGatewayRestApi}/stages/prod') } },
    });
  });

  it('has the domain of DOMAIN_NAME, mapped to its stage', () => {
    expect(resources.ApiDomain?.Properties.DomainName).toBe('api.example.com');
    expect(resources.ApiDomainMapping?.Properties).toEqual({
      DomainName: { Ref: 'ApiDomain' },
      RestApiId: { Ref: 'ApiGatewayRestApi' },
      Stage: 'prod',
    });
  });

  it('is refused for a WAF that is neither on nor off, and for a domain without a certificate of its region', async () => {
    const output = async (variables: Record<string, string>) => {
      const { code, stdout, stderr } = await sls(projectDirectory, ['print', '--path', 'service'], variables);
      return `${code}: ${stdout}${stderr}`;
    };
    expect(await output({ WAF: 'maybe' })).toMatch(/^1: .*WAF is "maybe", and has to be on or off\./s);
    expect(await output({ DOMAIN_NAME: 'api.example.com' })).toMatch(
      /^1: .*api\.example\.com needs a certificate in us-east-1: export DOMAIN_CERTIFICATE_ARN=/s,
    );
  });
});

/** @returns what a file says: of a zip, its entries inflated. */
function textOf(file: string): string {
  const bytes = readFileSync(file);
  let text = bytes.toString('latin1');
  if (!file.endsWith('.zip')) return text;
  for (let at = bytes.indexOf('PK\u0003\u0004'); at >= 0; at = bytes.indexOf('PK\u0003\u0004', at + 4)) {
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    if (bytes.readUInt16LE(at + 8) === 8) text += inflateRawSync(bytes.subarray(start)).toString('latin1');
  }
  return text;
}
