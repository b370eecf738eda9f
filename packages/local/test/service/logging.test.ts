import { describe, expect, it } from 'vitest';
import { readFunction } from '../../src/service/functions.ts';
import type { Reading } from '../../src/service/reading.ts';
import type { ServerlessFunction, ServerlessLogging } from '../../src/service/serverless.ts';

function logging(ofProvider?: ServerlessLogging, ofFunction?: ServerlessLogging) {
  const provider = { name: 'aws', ...(ofProvider && { logs: { lambda: ofProvider } }) };
  const reading = { serverless: { service: { provider } }, context: { stackName: 'shop-dev' }, warnings: [] };
  const lambda = { handler: 'a.handler', ...(ofFunction && { logs: ofFunction }) } as ServerlessFunction;
  return readFunction('home', lambda, reading as unknown as Reading)?.logging;
}

describe('the logging configuration of a function', () => {
  it("is the provider's, with Lambda's own levels where none is named", () => {
    expect(logging({ logFormat: 'JSON', applicationLogLevel: 'WARN' })).toEqual({
      format: 'JSON',
      applicationLevel: 'WARN',
      systemLevel: 'INFO',
    });
  });

  it("is the function's own as a whole, as Serverless deploys it", () => {
    const provider = { logFormat: 'JSON', applicationLogLevel: 'ERROR' } as const;
    expect(logging(provider, { logFormat: 'Text', logGroup: '/own' })).toEqual({ format: 'Text', logGroup: '/own' });
  });

  it('is absent where neither says anything', () => {
    expect(logging()).toBeUndefined();
  });
});
