import http from 'node:http';
import net from 'node:net';
import { suppressTracing } from '../context/suppress-tracing.ts';
import { type Head, postNow } from './post-now.ts';

/** What Lambda tells an extension of an invocation. */
export interface InvokeEvent {
  requestId: string;
  /** Epoch milliseconds. */
  deadline: number;
}

const registration = '/2020-01-01/extension/register';
const extensionName = 'throughline-exporter';
const registrationBody = JSON.stringify({ events: ['INVOKE'] });
/**
 * INIT waits no longer for an API that is on this machine; what is accepted later is followed from
 * then on. `/event/next` has no limit.
 */
const registrationLimitMilliseconds = 1_000;

/**
 * A Lambda extension inside the runtime's own process. Such a one may register for INVOKE only, and
 * only during INIT. From then on the environment stays awake after the answer until this has asked
 * for the next event. Source: the Lambda Extensions API, 2020-01-01.
 */
export interface Extension {
  /**
   * Waits for the next invocation, however long that takes: the environment is frozen meanwhile.
   * Keeps no process alive.
   */
  next(): Promise<InvokeEvent | undefined>;
}

/**
 * Registers with the Extensions API.
 * @param api host and port, as `AWS_LAMBDA_RUNTIME_API` has them.
 * @param late is given the extension that is accepted when nobody waits for it any more: Lambda
 *   holds every invocation until it has asked for the next event, whether or not it was waited for.
 * @returns undefined where there is no such API, or it refuses.
 */
export function registerExtension(api: string, late: (extension: Extension) => void): Promise<Extension | undefined> {
  const agent = new http.Agent({ keepAlive: true });
  const headers = {
    'lambda-extension-name': extensionName,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(registrationBody),
  };
  return new Promise((resolve) => {
    let isLate = false;
    const register = (answer: http.IncomingMessage): void => {
      // The head says it all; neither INIT nor a process that wants to end waits for the rest.
      answer.on('error', () => {}).resume();
      request.socket?.unref();
      const identifier = answer.statusCode === 200 ? answer.headers['lambda-extension-identifier'] : undefined;
      settle(typeof identifier === 'string' ? extensionOf(api, agent, identifier) : undefined);
    };
    const request = suppressTracing(() =>
      http.request(`http://${api}${registration}`, { method: 'POST', agent, headers }, register),
    );
    const limit = setTimeout(() => {
      isLate = true;
      request.socket?.unref();
      resolve(undefined);
    }, registrationLimitMilliseconds);
    const settle = (extension: Extension | undefined): void => {
      clearTimeout(limit);
      if (!isLate) resolve(extension);
      else if (extension) late(extension);
    };
    request.on('error', () => settle(undefined));
    request.end(registrationBody);
  });
}

/**
 * Registers while a module is being loaded, and waits for it. A runtime asks for its first event as
 * soon as the function's module has been evaluated, which ends INIT, and no request that this
 * thread begins in the usual way would be on its way by then.
 * @param late as in `registerExtension`.
 */
export function registerExtensionNow(api: string, late: (extension: Extension) => void): Extension | undefined {
  const separator = api.lastIndexOf(':');
  const host = api.slice(0, separator);
  if (net.isIP(host) === 0) {
    // Lambda names an address. A name would have to be looked up first, which takes turns of the
    // event loop; whoever has it may accept an extension after INIT.
    void registerExtension(api, late).then((extension) => extension && late(extension));
    return undefined;
  }
  const request = [
    `POST ${registration} HTTP/1.1`,
    `host: ${api}`,
    `lambda-extension-name: ${extensionName}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(registrationBody)}`,
    'connection: close',
    '',
    registrationBody,
  ].join('\r\n');
  const agent = new http.Agent({ keepAlive: true });
  const accepted = ({ status, headers }: Head): Extension | undefined => {
    const identifier = status === 200 ? headers.get('lambda-extension-identifier') : undefined;
    return identifier ? extensionOf(api, agent, identifier) : undefined;
  };
  const address = { host, port: Number(api.slice(separator + 1)) };
  const head = postNow(address, request, registrationLimitMilliseconds, (later) => {
    const extension = accepted(later);
    if (extension) late(extension);
  });
  return head && accepted(head);
}

function extensionOf(api: string, agent: http.Agent, identifier: string): Extension {
  return {
    next: async () => {
      const answer = await get(agent, `http://${api}/2020-01-01/extension/event/next`, {
        'lambda-extension-identifier': identifier,
      });
      return answer === undefined ? undefined : readEvent(answer);
    },
  };
}

/** @returns the body of an answer of 200. */
function get(agent: http.Agent, url: string, headers: Record<string, string>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const read = (answer: http.IncomingMessage): void => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve(answer.statusCode === 200 ? text : undefined));
      answer.on('error', () => resolve(undefined));
    };
    const request = suppressTracing(() => http.request(url, { agent, headers }, read));
    request.on('error', () => resolve(undefined));
    // The wait for an event must not hold a process that wants to end.
    request.on('socket', (socket) => socket.unref());
    request.end();
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
