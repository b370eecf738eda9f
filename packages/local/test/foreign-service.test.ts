import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyService, type RunningLocal, startSlsLocal } from '../../../test/sls.ts';
import type { Trace, TraceNode } from '../src/trace/trace.ts';

const service = copyService(path.join(import.meta.dirname, 'fixtures', 'foreign-service'));
let local: RunningLocal;

beforeAll(async () => {
  local = await startSlsLocal(service.directory);
});

afterAll(async () => {
  await local?.stop();
  service.remove();
});

async function traceOf(response: Response): Promise<Trace> {
  const root = /Root=([^;]+)/.exec(response.headers.get('x-amzn-trace-id') ?? '')?.[1];
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(`${local.console}/api/traces/${root}`);
    if (answer.ok) {
      const trace = (await answer.json()) as Trace;
      if (!trace.inProgress) return trace;
    }
    await wait(100);
  }
  throw new Error(`the trace ${root} has not come to its end`);
}

function outline(node: TraceNode): unknown[] {
  return [`${node.origin ?? node.namespace ?? node.type} ${node.name}`, ...node.children.map(outline)];
}

describe('a service of somebody else, in plain JavaScript and without any telemetry', () => {
  it('runs with its variables resolved, its table made and its seed sown', async () => {
    const response = await fetch(`${local.api}/shop/tea`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      STAGE: 'dev',
      GREETING: 'hello',
      PLACE: 'laptop',
      TABLE_ARN: 'arn:aws:dynamodb:eu-west-1:123456789012:table/corner-shop-dev-stock',
      stock: { item: 'tea', count: 7 },
    });
  });

  it('shows a call from one function to the other as one trace, down to both functions', async () => {
    const response = await fetch(`${local.api}/shop/tea`);
    const trace = await traceOf(response);
    const names = JSON.stringify(trace.roots.map(outline));
    expect(trace.roots).toHaveLength(1);
    expect(names.match(/AWS::ApiGateway::Stage dev-corner-shop\/dev/g)).toHaveLength(2);
    expect(names).toContain('AWS::Lambda corner-shop-dev-shop');
    expect(names).toContain('AWS::Lambda::Function corner-shop-dev-stock');
    expect(trace.fault).toBe(false);
  });

  it('shows what it wrote in the trace of its request', async () => {
    const trace = await traceOf(await fetch(`${local.api}/stock/tea`));
    expect(trace.logs.map(({ message }) => message).join('\n')).toContain('looking for tea');
  });

  it('answers 502 when a function throws, with the exception in the trace', async () => {
    const response = await fetch(`${local.api}/stock/coffee`);
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ message: 'Internal server error' });
    const trace = await traceOf(response);
    expect(trace.fault).toBe(true);
    expect(JSON.stringify(trace.roots)).toContain('no such item: coffee');
  });

  it('answers its preflight as its template says', async () => {
    const response = await fetch(`${local.api}/stock/tea`, { method: 'OPTIONS' });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-methods')?.split(',')).toEqual(['OPTIONS', 'GET']);
  });

  it('runs changed code at the next request', async () => {
    const file = path.join(service.directory, 'functions', 'stock.js');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Number(Item.count.N)', '"plenty"'));
    await expect
      .poll(async () => (await fetch(`${local.api}/stock/tea`)).json(), { timeout: 20_000 })
      .toEqual({
        item: 'tea',
        count: 'plenty',
      });
    await expect.poll(() => local.stdout(), { timeout: 20_000 }).toMatch(/reloaded shop, stock/);
  });

  it('keeps its runs in a folder that git does not see', () => {
    expect(readFileSync(path.join(service.directory, '.throughline', '.gitignore'), 'utf8')).toBe('*\n');
    expect(existsSync(path.join(service.directory, '.throughline', 'runs'))).toBe(true);
  });
});
