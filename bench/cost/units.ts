import { randomUUID } from 'node:crypto';
import { inProcess, variables } from '../../test/fixtures/cruddur/in-process.ts';
import { startTable } from '../../test/fixtures/cruddur/table.ts';

/** The request units that one request uses. */
export interface Units {
  reads: number;
  writes: number;
}

interface Consumed {
  CapacityUnits?: number;
}

const isWrite = /^(Put|Update|Delete|TransactWrite|BatchWrite)/;

/**
 * Counts the read and write units of requests, sent one after another to the handlers in this
 * process, over the seed and 200 activities more.
 * @param requests `method`, `path` and `body` by name.
 */
export async function measureUnits(
  requests: ReadonlyMap<string, { method: string; path: string; body: string }>,
): Promise<Map<string, Units>> {
  const dynamoDb = await startTable();
  Object.assign(process.env, variables(dynamoDb.endpoint));
  const api = await inProcess(dynamoDb.endpoint);
  const { table } = await import('../../src/table/client.ts');
  const units: Units = { reads: 0, writes: 0 };
  table.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (call) => {
        Object.assign(call.input, { ReturnConsumedCapacity: 'TOTAL' });
        const result = await next(call);
        const { ConsumedCapacity } = result.output as { ConsumedCapacity?: Consumed | Consumed[] };
        for (const { CapacityUnits = 0 } of [ConsumedCapacity ?? []].flat())
          units[isWrite.test(commandName) ? 'writes' : 'reads'] += CapacityUnits;
        return result;
      },
    { step: 'initialize', name: 'units', priority: 'low' },
  );
  const headers = () => ({ 'content-type': 'application/json', 'idempotency-key': randomUUID() });
  for (let index = 0; index < 200; index++) {
    const body = { message: `Cloud is fun, number ${index}, as long as people write`, ttl: '7-days' };
    await api.send('POST', '/api/activities', { headers: headers(), body: JSON.stringify(body) });
  }
  const measured = new Map<string, Units>();
  for (const [name, { method, path, body }] of requests) {
    units.reads = 0;
    units.writes = 0;
    await api.send(method, path, { headers: headers(), ...(body && { body }) });
    measured.set(name, { ...units });
  }
  await dynamoDb.stop();
  return measured;
}
