import { XRayClient } from '@aws-sdk/client-xray';
import type { LocalService, SamplingRule } from '../../../src/service/model.ts';
import { startXray, type Xray } from '../../../src/services/xray/index.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import type { SegmentDocument } from '../../../src/trace/records.ts';

export const sampleCredentials = { accessKeyId: 'test', secretAccessKey: 'test' };

export const rule: SamplingRule = {
  RuleName: 'cruddur',
  Priority: 9000,
  FixedRate: 0.1,
  ReservoirSize: 5,
  ServiceName: '*',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: '*',
  URLPath: '*',
  ResourceARN: '*',
};

const sampleService: LocalService = {
  name: 'cruddur',
  stage: 'dev',
  region: 'eu-west-1',
  directory: '/',
  functions: [],
  gateway: { name: 'dev-cruddur', tracing: true, binaryMediaTypes: [], responses: [] },
  tables: [],
  samplingRules: [rule],
  traceGroups: [
    {
      GroupName: 'faults',
      FilterExpression: 'service("dev-cruddur/dev") { fault }',
      InsightsConfiguration: { InsightsEnabled: true, NotificationsEnabled: false },
    },
    {
      GroupName: 'broken',
      FilterExpression: 'boom()',
      InsightsConfiguration: { InsightsEnabled: false, NotificationsEnabled: false },
    },
  ],
  settings: { ports: { api: 0, console: 0, otlp: 0, grpc: 0, xray: 0, dynamodb: 0, lambda: 0 }, environment: {} },
};

export interface Running {
  store: Store;
  server: Xray;
  client: XRayClient;
  endpoint: string;
  stop(): Promise<void>;
}

/** The local X-Ray on a free port, and AWS's own client for it. */
export async function runXray(): Promise<Running> {
  const store = await openStore({ file: ':memory:' });
  const server = await startXray({ port: 0, sink: store, store, service: sampleService });
  const endpoint = `http://127.0.0.1:${server.port}`;
  const client = new XRayClient({ endpoint, region: 'eu-west-1', credentials: sampleCredentials, maxAttempts: 1 });
  return {
    store,
    server,
    client,
    endpoint,
    async stop() {
      client.destroy();
      await server.stop();
      await store.close();
    },
  };
}

export const hex = (number: number, digits = 16) => number.toString(16).padStart(digits, '0');

/** A trace id of its own for each number, begun at `second` since the epoch. */
export const traceId = (number: number, second = 1_700_000_000) => `1-${hex(second, 8)}-${hex(number, 24)}`;

/**
 * Gateway, Lambda and function as segments, the handler and a DynamoDB call as subsegments that
 * were sent alone.
 */
export function request(number: number, more: { second?: number; fault?: boolean; innerFault?: boolean } = {}) {
  const { second = 1_700_000_000, fault = false, innerFault = false } = more;
  const trace_id = traceId(number, second);
  const at = (id: number, name: string, rest: Partial<SegmentDocument> = {}): SegmentDocument => ({
    name,
    id: hex(number * 16 + id),
    trace_id,
    start_time: second + id / 100,
    end_time: second + 1 - id / 100,
    ...rest,
  });
  const parent = (id: number) => ({ parent_id: hex(number * 16 + id) });
  const integration = { ...at(2, 'Lambda'), trace_id: undefined };
  const documents: SegmentDocument[] = [
    at(1, 'dev-cruddur/dev', {
      origin: 'AWS::ApiGateway::Stage',
      resource_arn: 'arn:aws:apigateway:eu-west-1::/restapis/api/stages/dev',
      http: {
        request: {
          method: 'GET',
          url: 'https://api.local/api/activities/home',
          user_agent: 'curl',
          client_ip: '127.0.0.1',
        },
        response: { status: fault ? 502 : 200 },
      },
      ...(fault && { fault }),
      subsegments: [integration as SegmentDocument],
    }),
    at(3, 'cruddur-dev-home', { origin: 'AWS::Lambda', ...parent(2) }),
    at(4, 'cruddur-dev-home', { origin: 'AWS::Lambda::Function', user: 'andrewbrown', ...parent(3) }),
    at(6, '## home', {
      type: 'subsegment',
      ...parent(4),
      annotations: { route: '/home', size: number, cached: false },
      ...(innerFault && { fault: true, cause: { exceptions: [{ id: hex(1), type: 'E', message: 'deep trouble' }] } }),
    }),
    at(7, 'DynamoDB', {
      type: 'subsegment',
      namespace: 'aws',
      aws: { operation: 'Query', table_name: 'cruddur' },
      ...parent(6),
    }),
  ];
  return documents;
}
