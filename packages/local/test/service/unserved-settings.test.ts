import { describe, expect, it } from 'vitest';
import type { ServerlessFunction } from '../../src/service/serverless.ts';
import { nameUnservedSettings } from '../../src/service/unserved-settings.ts';

describe('the settings of a function that change nothing here', () => {
  it.each([
    [
      { destinations: { onFailure: 'other' } },
      ['functions.a: destinations are not applied here: an event that nobody waits for is tried once'],
    ],
    [
      { onError: 'arn:…', maximumRetryAttempts: 0 },
      ['functions.a: onError, maximumRetryAttempts are not applied here: an event that nobody waits for is tried once'],
    ],
    [{ fileSystemConfig: {} }, ['functions.a.fileSystemConfig is not mounted here']],
    [{ memorySize: 128 }, []],
  ])('are named once: %j', (settings: ServerlessFunction, sentences) => {
    expect(nameUnservedSettings('a', settings)).toEqual(sentences);
  });
});
