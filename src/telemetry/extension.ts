import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';

/** What Lambda tells an extension of an invocation. */
export interface InvokeEvent {
  requestId: string;
  /** Epoch milliseconds. */
  deadline: number;
}

const registration = '/2020-01-01/extension/register';
const extensionName = 'throughline-shipper';
/** The API is on this machine: what it has not answered by then it will not. `/event/next` alone has no limit. */
const registrationLimitMilliseconds = 1_000;

/**
 * A Lambda extension inside the runtime's own process. Such a one may register for INVOKE only, and only during INIT. From then on the
 * environment stays awake after the answer until this has asked for the next event.
 * Source: the Lambda Extensions API, 2020-01-01.
 */
export interface Extension {
  /** Waits for the next invocation, however long that takes: the environment is frozen meanwhile. Keeps no process alive. */
  next(): Promise<InvokeEvent | undefined>;
}

/**
 * Registers with the Extensions API.
 * @param api host and port, as `AWS_LAMBDA_RUNTIME_API` has them.
 * @returns undefined where there is no such API, or it refuses.
 */
export async function registerExtension(api: string): Promise<Extension | undefined> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const answer = await call(agent, {
    url: `http://${api}${registration}`,
    method: 'POST',
    headers: { 'lambda-extension-name': extensionName, 'content-type': 'application/json' },
    body: JSON.stringify({ events: ['INVOKE'] }),
    limitMilliseconds: registrationLimitMilliseconds,
  });
  const identifier = answer?.status === 200 ? answer.headers['lambda-extension-identifier'] : undefined;
  return typeof identifier === 'string' ? extensionOf(api, agent, identifier) : undefined;
}

/**
 * Registers while a module is being loaded, and waits for it. A runtime asks for its first event as soon as the function's module has been
 * evaluated, which ends INIT, and no request that this thread begins would be on its way by then: so another thread makes it.
 */
export function registerExtensionNow(api: string): Extension | undefined {
  const { port1, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(registrar, {
    eval: true,
    workerData: { url: `http://${api}${registration}`, name: extensionName, done, port: port2 },
    transferList: [port2],
    // Nothing of this process's own options: a preload of a layer would run again in there.
    execArgv: [],
    env: {},
  });
  worker.unref();
  worker.on('error', () => {});
  Atomics.wait(done, 0, 0, registrationLimitMilliseconds);
  const identifier: unknown = receiveMessageOnPort(port1)?.message;
  port1.close();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return typeof identifier === 'string' ? extensionOf(api, agent, identifier) : undefined;
}

/** What the other thread runs: plain CommonJS, as it is no file of its own in a bundle. */
const registrar = `
const { workerData: { url, name, done, port } } = require('node:worker_threads');
const finish = (identifier) => {
  if (identifier) port.postMessage(identifier);
  port.close();
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
};
const body = '{"events":["INVOKE"]}';
const headers = { 'lambda-extension-name': name, 'content-type': 'application/json', 'content-length': body.length };
const request = require('node:http').request(url, { method: 'POST', headers }, (answer) => {
  answer.resume();
  finish(answer.statusCode === 200 && answer.headers['lambda-extension-identifier']);
});
request.on('error', () => finish());
request.end(body);
`;

function extensionOf(api: string, agent: http.Agent, identifier: string): Extension {
  return {
    next: async () => {
      const event = await call(agent, {
        url: `http://${api}/2020-01-01/extension/event/next`,
        method: 'GET',
        headers: { 'lambda-extension-identifier': identifier },
      });
      return event?.status === 200 ? readEvent(event.body) : undefined;
    },
  };
}

interface Call {
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
  limitMilliseconds?: number;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

function call(agent: http.Agent, { url, method, headers, body, limitMilliseconds }: Call): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = http.request(url, { method, agent, headers: { ...headers, ...length } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
      answer.on('error', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
    // Registration happens during INIT, which has to wait for it; the wait for an event must not hold a process that wants to end.
    if (limitMilliseconds === undefined) request.on('socket', (socket) => socket.unref());
    else request.setTimeout(limitMilliseconds, () => request.destroy());
    request.end(body);
  });
}

function readEvent(text: string): InvokeEvent | undefined {
  try {
    const { eventType, requestId, deadlineMs } = JSON.parse(text) as Record<string, unknown>;
    if (eventType !== 'INVOKE' || typeof requestId !== 'string' || typeof deadlineMs !== 'number') return undefined;
    return { requestId, deadline: deadlineMs };
  } catch {
    return undefined;
  }
}
