import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** On Lambda it names the folder of the runtime's AWS SDK, among others. */
const NODE_PATH = path.join(import.meta.dirname, '../../../../node_modules');

/** SSM's GetParameter on loopback. */
export interface ParameterStore {
  /** Variables of a function that uses it. */
  environment: Record<string, string>;
  /** Values by name. A name that is missing does not exist; while `isSilent` nothing is answered. */
  values: Map<string, string>;
  isSilent: boolean;
  /** The names that were asked for, with the `performance.now()` of each. */
  asked: { name: string; time: number }[];
  stop(): Promise<void>;
}

export async function startParameterStore(): Promise<ParameterStore> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { Name, WithDecryption } = JSON.parse(body) as { Name: string; WithDecryption: boolean };
    store.asked.push({ name: Name, time: performance.now() });
    if (store.isSilent) return;
    const Value = WithDecryption ? store.values.get(Name) : 'not decrypted';
    if (Value === undefined) answer(response, 400, { __type: 'ParameterNotFound', message: 'no such parameter' });
    else answer(response, 200, { Parameter: { Name, Type: 'SecureString', Value } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const store: ParameterStore = {
    environment: {
      AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      NODE_PATH,
    },
    values: new Map(),
    isSilent: false,
    asked: [],
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return store;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
}
