import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * How Lambda's side behaves when it is asked for the next event: gives it when there is one, or
 * fails at once.
 */
type Answer = 'waits' | 'resets' | 'answers 500' | 'answers nonsense';

/** The Extensions API alone, in the place of Lambda's. */
export interface ExtensionsApi {
  /** As `AWS_LAMBDA_RUNTIME_API` has it. */
  address: string;
  /** The requests so far, such as `POST /2020-01-01/extension/register throughline-exporter`. */
  asked: string[];
  /** From now on; a request that waits is answered like this too. */
  behave(answer: Answer): void;
  /** Gives the extension an invocation, once it asks. */
  invoke(requestId: string, deadline?: number): void;
  /** Answers a registration that hangs: the extension is accepted after all. */
  accept(): void;
  /** Resolves once the extension has asked for so many events. */
  askedForEvents(count: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param registration what a registration is answered with; `hangs` never answers it, `has no end`
 * answers with a head alone.
 */
export async function startExtensionsApi(registration: number | 'hangs' | 'has no end' = 200): Promise<ExtensionsApi> {
  const asked: string[] = [];
  const events: object[] = [];
  let answer: Answer = 'waits';
  let open: ServerResponse | undefined;
  let wake: () => void = () => {};
  let accept: () => void = () => {};

  const serve = (): void => {
    const response = open;
    if (!response) return;
    if (answer === 'resets') response.socket?.resetAndDestroy();
    else if (answer === 'answers 500') response.writeHead(500).end('{}');
    else if (answer === 'answers nonsense') response.end('<html>');
    else {
      const event = events.shift();
      if (!event) return;
      response.end(JSON.stringify(event));
    }
    open = undefined;
  };
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['lambda-extension-name'] ?? ''}`.trim());
    wake();
    response.setHeader('lambda-extension-identifier', 'an-identifier');
    if (request.method !== 'POST') {
      open = response;
      serve();
    } else if (registration === 'hangs') accept = () => response.end('{}');
    else if (registration === 'has no end') response.writeHead(200).flushHeaders();
    else response.writeHead(registration).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const nexts = (): number => asked.filter((line) => line.endsWith('/event/next')).length;
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    behave: (next) => {
      answer = next;
      serve();
    },
    invoke: (requestId, deadlineMs = Date.now() + 60_000) => {
      events.push({ eventType: 'INVOKE', requestId, deadlineMs });
      serve();
    },
    accept: () => accept(),
    askedForEvents: async (count) => {
      while (nexts() < count) await new Promise<void>((resolve) => (wake = resolve));
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
