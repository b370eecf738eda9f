import { createRequire } from 'node:module';
import { BaseProvider } from '@aws-lambda-powertools/parameters/base';

interface Ssm {
  SSMClient: new (options: object) => { send(command: unknown): Promise<{ Parameter?: { Value?: string } }> };
  GetParameterCommand: new (input: object) => unknown;
}

/**
 * Powertools Parameters over the parameter store. Its own `SSMProvider` imports the SDK's client,
 * which would make each function's bundle 1.4 MB larger.
 */
export class ParameterStore extends BaseProvider {
  readonly #sdk: Ssm;
  declare protected client: InstanceType<Ssm['SSMClient']>;

  /** @throws where there is no AWS SDK. */
  constructor() {
    const sdk = loadSdk();
    // Two tries of a second each: the environment is kept awake meanwhile.
    const requestHandler = { connectionTimeout: 500, requestTimeout: 1_000, throwOnRequestTimeout: true };
    super({ awsSdkV3Client: new sdk.SSMClient({ maxAttempts: 2, requestHandler }) });
    this.#sdk = sdk;
  }

  /**
   * Reads a decrypted parameter, of which the first line counts.
   * @returns undefined where it does not exist.
   */
  async read(name: string, options: { maxAge: number; forceFetch: boolean }): Promise<string | undefined> {
    try {
      const value = await this.get(name, options);
      return (typeof value === 'string' && value.split('\n')[0]?.trim()) || undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  protected async _get(name: string): Promise<string | undefined> {
    const { GetParameterCommand } = this.#sdk;
    const { Parameter } = await this.client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    return Parameter?.Value;
  }

  protected _getMultiple(): Promise<never> {
    return Promise.reject(new Error('Parameters are read one by one.'));
  }
}

/** Lambda's Node runtime carries the AWS SDK. A function that ships its own uses that one. */
function loadSdk(): Ssm {
  for (const base of [`${process.cwd()}/index.js`, '/var/runtime/index.mjs']) {
    try {
      return createRequire(base)('@aws-sdk/client-ssm') as Ssm;
    } catch {
      // Not there: an emulator without the runtime's SDK.
    }
  }
  throw new Error('@aws-sdk/client-ssm was not found: this runtime has no AWS SDK');
}

function isNotFound(error: unknown): boolean {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown };
  return /^Parameter(Version)?NotFound$/.test(String(name)) || (cause !== undefined && isNotFound(cause));
}
