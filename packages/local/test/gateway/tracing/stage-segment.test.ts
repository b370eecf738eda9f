import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/index.ts';
import type { LocalService, SamplingRule } from '../../../src/service/model.ts';
import { parseTraceHeader } from '../../../src/trace/trace-header.ts';
import { type Answer, gatewayUnderTest, lambdaFunction, localService, returns, send } from '../gateway-under-test.ts';

const service = localService([lambdaFunction('home', ['GET /home', 'POST /home'])]);
const root = '1-5759e988-bd862e3fe1be46a994272793';
const parent = '53995c3f42cd8ad8';

async function traced(
  headers: string[] = [],
  invoke: () => Answer = () => returns({ statusCode: 200, body: 'four' }),
  { of = service, path = '/home', ...options }: Partial<GatewayOptions> & { of?: LocalService; path?: string } = {},
) {
  const gateway = await gatewayUnderTest(of, invoke, options);
  const answer = await send(gateway, 'GET', path, ['Host', `127.0.0.1:${gateway.port}`, ...headers]);
  return { gateway, answer, whole: gateway.segments.at(-1), invocation: gateway.invocations[0] };
}

describe('the stage segment', () => {
  it('has the fields that AWS documents', async () => {
    const { gateway, whole, invocation } = await traced(['User-Agent', 'test/1'], undefined, { path: '/home?term=x' });
    const { requestContext } = invocation?.event ?? {};
    expect(whole).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'dev-shop/dev',
      trace_id: invocation?.trace.root,
      start_time: expect.any(Number),
      end_time: expect.any(Number),
      origin: 'AWS::ApiGateway::Stage',
      resource_arn: `arn:aws:apigateway:eu-central-1::/restapis/${requestContext?.apiId}/stages/dev`,
      http: {
        request: {
          method: 'GET',
          url: `http://127.0.0.1:${gateway.port}/home?term=x`,
          client_ip: '127.0.0.1',
          user_agent: 'test/1',
        },
        response: { status: 200, content_length: 4 },
      },
      aws: {
        api_gateway: {
          account_id: '123456789012',
          rest_api_id: requestContext?.apiId,
          stage: 'dev',
          request_id: requestContext?.requestId,
        },
      },
      annotations: { 'aws:api_id': requestContext?.apiId, 'aws:api_stage': 'dev' },
      metadata: {
        default: {
          extended_request_id: requestContext?.extendedRequestId,
          request_id: requestContext?.requestId,
        },
      },
      subsegments: [
        {
          id: invocation?.trace.parent,
          name: 'Lambda',
          namespace: 'aws',
          start_time: expect.any(Number),
          end_time: expect.any(Number),
          http: {
            request: {
              method: 'POST',
              url: 'https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:shop-dev-home/invocations',
            },
            response: { status: 200, content_length: 32 },
          },
          aws: {
            function_name: 'shop-dev-home',
            region: 'eu-central-1',
            operation: 'Invoke',
            resource_names: ['shop-dev-home'],
          },
        },
      ],
    });
  });

  it('is emitted in progress first, and whole under the same id', async () => {
    const { gateway, whole } = await traced();
    expect(gateway.segments).toHaveLength(2);
    expect(gateway.segments[0]).toMatchObject({ id: whole?.id, trace_id: whole?.trace_id, in_progress: true });
    expect(gateway.segments[0]?.end_time).toBeUndefined();
    expect(whole?.in_progress).toBeUndefined();
  });

  it('is there before the function runs', async () => {
    let before = -1;
    const gateway = await gatewayUnderTest(service, () => {
      before = gateway.segments.length;
      return returns({ statusCode: 200 });
    });
    await send(gateway, 'GET', '/home');
    expect(before).toBe(1);
  });

  it('takes the address of the client from X-Forwarded-For, and says so', async () => {
    const { whole } = await traced(['X-Forwarded-For', '203.0.113.9, 10.0.0.1']);
    expect(whole?.http?.request).toMatchObject({ client_ip: '203.0.113.9', x_forwarded_for: true });
  });

  it.each([
    [200, {}],
    [302, {}],
    [404, { error: true }],
    [429, { error: true, throttle: true }],
    [500, { fault: true }],
  ])('flags a function that answers %d, but not its invocation', async (statusCode, flags) => {
    const { whole } = await traced([], () => returns({ statusCode }));
    const { error, fault, throttle } = whole ?? {};
    expect(JSON.parse(JSON.stringify({ error, fault, throttle }))).toEqual(flags);
    expect(whole?.subsegments?.[0]).not.toHaveProperty('fault');
  });

  it('and its integration are faults when the function failed', async () => {
    const { whole } = await traced([], () => ({
      error: { kind: 'thrown', type: 'Error', message: 'x' },
      payload: '{}',
    }));
    expect(whole).toMatchObject({ fault: true, http: { response: { status: 502 } } });
    expect(whole?.subsegments?.[0]).toMatchObject({ fault: true, http: { response: { status: 200 } } });
  });

  it('shows a throttled function as a throttle in the integration and a fault of the API', async () => {
    const { whole } = await traced([], () => ({ error: { kind: 'throttled', type: 'X', message: 'x' } }));
    expect(whole).toMatchObject({ fault: true, http: { response: { status: 500 } } });
    expect(whole?.subsegments?.[0]).toMatchObject({ error: true, throttle: true, http: { response: { status: 429 } } });
  });

  it('covers what the gateway answers alone, without an integration', async () => {
    const { whole } = await traced([], undefined, { path: '/nowhere' });
    expect(whole).toMatchObject({ error: true, http: { response: { status: 403, content_length: 42 } } });
    expect(whole).not.toHaveProperty('subsegments');
  });

  it('ends when the gateway has waited long enough, as does the integration', async () => {
    const { whole } = await traced([], () => new Promise(() => {}), { integrationTimeoutMilliseconds: 20 });
    expect(whole).toMatchObject({ fault: true, http: { response: { status: 504 } }, end_time: expect.any(Number) });
    expect(whole?.subsegments?.[0]).toMatchObject({ fault: true, end_time: expect.any(Number) });
  });

  it('ends also when the client has hung up', async () => {
    const invoked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<object>();
    const gateway = await gatewayUnderTest(service, () => {
      invoked.resolve();
      return gone.promise;
    });
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('GET /home HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await invoked.promise;
    socket.resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
    gone.resolve(returns({ statusCode: 200 }));
    await expect.poll(() => gateway.segments.length).toBe(2);
    expect(gateway.segments[1]).toMatchObject({ http: { response: { status: 200 } } });
  });

  it('ends as an error when the client hung up in the middle of its body', async () => {
    const gateway = await gatewayUnderTest(service);
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('POST /home HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345');
    await expect.poll(() => gateway.segments.length).toBe(1);
    socket.resetAndDestroy();
    await expect.poll(() => gateway.segments.length).toBe(2);
    expect(gateway.segments[1]).toMatchObject({ error: true, http: { response: { status: 400 } } });
    expect(gateway.invocations).toEqual([]);
  });

  it('is absent where tracing is off, and the trace goes through', async () => {
    const untraced = localService(service.functions, { gateway: { ...service.gateway, tracing: false } });
    const { gateway, invocation } = await traced(
      ['X-Amzn-Trace-Id', `Root=${root};Parent=${parent};Sampled=1`],
      undefined,
      {
        of: untraced,
      },
    );
    expect(gateway.segments).toEqual([]);
    expect(invocation?.trace).toEqual({ root, parent, sampled: true });
  });
});

describe('a trace that the caller began', () => {
  it('is followed by X-Amzn-Trace-Id: root, parent and what else it says', async () => {
    const header = `Root=${root};Parent=${parent};Sampled=1;Lineage=1:a87bd80c:0`;
    const { whole, invocation, answer, gateway } = await traced(['x-amzn-trace-id', header]);
    expect(whole).toMatchObject({ trace_id: root, parent_id: parent });
    expect(invocation?.trace).toEqual({
      root,
      parent: whole?.subsegments?.[0]?.id,
      sampled: true,
      rest: 'Lineage=1:a87bd80c:0',
    });
    expect(answer.headers['x-amzn-trace-id']).toBe(header);
    expect(gateway.lines[0]?.traceId).toBe('5759e988bd862e3fe1be46a994272793');
  });

  it('is followed by traceparent, which wins over X-Amzn-Trace-Id and reaches the function as it was', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { whole, invocation } = await traced([
      'X-Amzn-Trace-Id',
      `Root=${root};Parent=${parent};Sampled=0`,
      'traceparent',
      traceparent,
    ]);
    expect(whole).toMatchObject({ trace_id: '1-4bf92f35-77b34da6a3ce929d0e0e4736', parent_id: '00f067aa0ba902b7' });
    expect(invocation?.event.headers.traceparent).toBe(traceparent);
  });

  it('shows the function one X-Amzn-Trace-Id: the one that goes on', async () => {
    const { invocation } = await traced(['x-amzn-trace-id', `Root=${root};Parent=${parent}`]);
    const names = Object.keys(invocation?.event.headers ?? {}).filter((name) => /trace-id/i.test(name));
    expect(names).toEqual(['X-Amzn-Trace-Id']);
    expect(parseTraceHeader(invocation?.event.headers['X-Amzn-Trace-Id'])).toEqual(invocation?.trace);
  });

  it.each([
    ['X-Amzn-Trace-Id', 'Root=1-5759e988-nonsense;Sampled=1'],
    ['X-Amzn-Trace-Id', '%'],
    ['X-Amzn-Trace-Id', ';'.repeat(9000)],
    ['traceparent', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['traceparent', '00-00000000000000000000000000000000-00f067aa0ba902b7-01'],
    ['traceparent', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01'],
    ['baggage', '%'],
  ])('is a new one for a malformed %s: %.40s', async (name, value) => {
    const { whole, answer } = await traced([name, value]);
    expect(answer.status).toBe(200);
    expect(whole?.trace_id).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    expect(whole?.trace_id).not.toContain('4bf92f35');
    expect(whole).not.toHaveProperty('parent_id');
  });

  it('is a new one where a header was sent twice', async () => {
    const header = `Root=${root};Parent=${parent};Sampled=1`;
    const { whole } = await traced(['X-Amzn-Trace-Id', header, 'x-amzn-trace-id', header]);
    expect(whole?.trace_id).not.toBe(root);
  });
});

describe('sampling', () => {
  const none: SamplingRule = {
    RuleName: 'none',
    Priority: 1,
    FixedRate: 0,
    ReservoirSize: 0,
    ServiceName: 'dev-shop/dev',
    ServiceType: 'AWS::ApiGateway::Stage',
    Host: '127.0.0.1',
    HTTPMethod: 'GET',
    URLPath: '/home',
    ResourceARN: '*',
  };
  const sampled = localService(service.functions, {
    samplingRules: [none, { ...none, RuleName: 'all', Priority: 2, FixedRate: 1, HTTPMethod: '*', URLPath: '*' }],
  });

  it('keeps everything unless it is asked for, also what the caller decided not to keep', async () => {
    expect((await traced([], undefined, { of: sampled })).gateway.segments).toHaveLength(2);
    const sent = ['X-Amzn-Trace-Id', `Root=${root};Sampled=0`];
    const { gateway, answer, whole } = await traced(sent, undefined, { of: sampled });
    expect(gateway.segments).toHaveLength(2);
    expect(answer.headers['x-amzn-trace-id']).toBe(`Root=${root};Parent=${whole?.id};Sampled=1`);
  });

  it('follows a caller who decided not to keep it', async () => {
    const header = `Root=${root};Parent=${parent};Sampled=0`;
    const { gateway, invocation, answer } = await traced(['X-Amzn-Trace-Id', header], undefined, {
      of: sampled,
      sampling: true,
      path: '/nowhere',
    });
    expect(gateway.segments).toEqual([]);
    expect(invocation).toBeUndefined();
    expect(answer.headers['x-amzn-trace-id']).toBe(header);
  });

  it('leaves no segment of what a rule drops, and tells Lambda', async () => {
    const { gateway, invocation } = await traced([], undefined, { of: sampled, sampling: true });
    expect(gateway.segments).toEqual([]);
    expect(invocation?.trace.sampled).toBe(false);
    expect(gateway.lines).toHaveLength(1);
  });

  it('names the rule that kept it', async () => {
    const { whole } = await traced([], undefined, { of: sampled, sampling: true, path: '/nowhere' });
    expect(whole?.aws).toMatchObject({ xray: { sampling_rule_name: 'all' } });
  });

  it('follows the decision of the caller, and decides where the caller asks', async () => {
    const kept = await traced(['X-Amzn-Trace-Id', `Root=${root};Sampled=1`], undefined, {
      of: sampled,
      sampling: true,
    });
    expect(kept.gateway.segments).toHaveLength(2);
    const asked = await traced(['X-Amzn-Trace-Id', `Root=${root};Sampled=?`], undefined, {
      of: sampled,
      sampling: true,
    });
    expect(asked.invocation?.trace).toEqual({ root, sampled: false });
  });
});
