import { randomUUID } from 'node:crypto';
import { type ApiAnswer, type ApiRequest, accepted, refusal } from './runtime-api.ts';

/** Lambda takes ten extensions for a function, internal ones included. */
const maximumExtensions = 10;

interface Extension {
  id: string;
  name: string;
  external: boolean;
  events: Set<string>;
  /** Answers its open `/event/next`; absent while it works. */
  give?: (answer: ApiAnswer) => void;
}

export interface ExtensionsSetup {
  functionName: string;
  handler: string;
  accountId: string;
  /** The names that were started from a layer's `extensions/` folder. */
  externalNames: string[];
  /** An extension has registered or has asked for its next event. */
  changed(): void;
  /** An extension has said that it cannot go on. */
  failed(errorType: string, phase: 'init' | 'exit'): void;
}

/**
 * The Extensions API of one environment: who has registered for what, and who is waiting for its
 * next event. Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html;
 * error types as in AWS's runtime interface emulator.
 */
export class Extensions {
  readonly #setup: ExtensionsSetup;
  readonly #extensions = new Map<string, Extension>();
  #registrationOpen = true;

  constructor(setup: ExtensionsSetup) {
    this.#setup = setup;
  }

  /** Whether every extension that was started from a layer has registered. */
  get allRegistered(): boolean {
    const names = new Set([...this.#extensions.values()].map((extension) => extension.name));
    return this.#setup.externalNames.every((name) => names.has(name));
  }

  /** Whether every extension has asked for its next event: the end of init. */
  get allReady(): boolean {
    return this.allRegistered && [...this.#extensions.values()].every((extension) => extension.give);
  }

  /**
   * Whether every extension that was given the invocation has asked for its next event: the end of
   * the invocation.
   */
  get invokeDone(): boolean {
    return [...this.#extensions.values()].every((extension) => !extension.events.has('INVOKE') || extension.give);
  }

  get hasExternal(): boolean {
    return this.#setup.externalNames.length > 0;
  }

  /** Whether one has registered from inside the runtime's process. */
  get hasInternal(): boolean {
    return [...this.#extensions.values()].some((extension) => !extension.external);
  }

  closeRegistration(): void {
    this.#registrationOpen = false;
  }

  /** @returns whether `id` is that of a registered extension, as the Telemetry API asks. */
  knows(id: string | undefined): boolean {
    return id !== undefined && this.#extensions.has(id);
  }

  /** Gives an event to every extension that has registered for it and is waiting. */
  send(eventType: 'INVOKE' | 'SHUTDOWN', fields: Record<string, unknown>): void {
    for (const extension of this.#extensions.values()) {
      if (!extension.events.has(eventType)) continue;
      const give = extension.give;
      extension.give = undefined;
      give?.({
        status: 200,
        body: { eventType, ...fields },
        headers: { 'Lambda-Extension-Event-Identifier': randomUUID() },
      });
    }
  }

  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const route = `${request.method} ${request.path.replace('/2020-01-01/extension', '')}`;
    if (route === 'POST /register') return this.#register(request);
    const identifier = header(request, 'lambda-extension-identifier');
    if (!identifier) {
      return refusal(403, 'Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header');
    }
    const extension = this.#extensions.get(identifier);
    if (!extension) return refusal(403, 'Extension.UnknownExtensionIdentifier', `Unknown extension ${identifier}`);
    if (route === 'GET /event/next') return this.#next(extension, request);
    if (route === 'POST /init/error') return this.#fail(request, 'init');
    if (route === 'POST /exit/error') return this.#fail(request, 'exit');
    return refusal(404, 'NotFound', `The Extensions API has no ${request.method} ${request.path}`);
  }

  #register(request: ApiRequest): ApiAnswer {
    const name = header(request, 'lambda-extension-name');
    if (!name) return refusal(403, 'Extension.InvalidExtensionName', 'Empty extension name');
    const events = registeredEvents(request.body);
    if (!events) {
      return refusal(403, 'InvalidRequestFormat', 'The body must be JSON with "events", an array of event types');
    }
    const external = this.#setup.externalNames.includes(name);
    const allowed = external ? ['INVOKE', 'SHUTDOWN'] : ['INVOKE'];
    const wrong = events.find((event) => !allowed.includes(event));
    if (wrong !== undefined) {
      const reason = wrong === 'SHUTDOWN' ? 'ShutdownEventNotSupportedForInternalExtension' : 'InvalidEventType';
      return refusal(403, 'Extension.InvalidEventType', `${wrong}: ${reason}`);
    }
    if (!this.#registrationOpen) {
      return refusal(403, 'Extension.RegistrationClosed', 'Extension registration closed already');
    }
    if ([...this.#extensions.values()].some((extension) => extension.name === name)) {
      return refusal(403, 'Extension.InvalidExtensionState', 'Extension with this name already registered');
    }
    if (this.#extensions.size >= maximumExtensions) {
      return refusal(403, 'Extension.TooManyExtensions', `Extension limit (${maximumExtensions}) reached`);
    }
    const id = randomUUID();
    this.#extensions.set(id, { id, name, external, events: new Set(events) });
    this.#setup.changed();
    const features = header(request, 'lambda-extension-accept-feature') ?? '';
    return {
      status: 200,
      headers: { 'Lambda-Extension-Identifier': id },
      body: {
        functionName: this.#setup.functionName,
        functionVersion: '$LATEST',
        handler: this.#setup.handler,
        ...(features.split(',').some((feature) => feature.trim() === 'accountId') && {
          accountId: this.#setup.accountId,
        }),
      },
    };
  }

  #next(extension: Extension, request: ApiRequest): Promise<ApiAnswer> {
    return new Promise((resolve) => {
      extension.give = resolve;
      request.closed.then(() => {
        // Its process has gone, or it has given up waiting: then it is not waiting any more.
        if (extension.give === resolve) extension.give = undefined;
      });
      this.#setup.changed();
    });
  }

  #fail(request: ApiRequest, phase: 'init' | 'exit'): ApiAnswer {
    const errorType = header(request, 'lambda-extension-function-error-type');
    if (!errorType) {
      return refusal(403, 'Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found');
    }
    this.#setup.failed(errorType, phase);
    return accepted();
  }
}

function header(request: ApiRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** @returns the event types of a registration; undefined if the body is not a registration. */
function registeredEvents(body: Buffer): string[] | undefined {
  if (body.length === 0) return [];
  try {
    const document: unknown = JSON.parse(body.toString('utf8'));
    if (typeof document !== 'object' || document === null) return undefined;
    const events = 'events' in document ? document.events : [];
    return Array.isArray(events) && events.every((event) => typeof event === 'string') ? events : undefined;
  } catch {
    return undefined;
  }
}
