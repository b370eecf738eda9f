import type { ServerlessFunction } from './serverless.ts';

/**
 * What Lambda does with an event that nobody waits for, when the function fails. Here it is not
 * tried again.
 */
const asynchronous = ['destinations', 'onError', 'maximumRetryAttempts', 'maximumEventAge'] as const;

/** @returns a sentence for the settings of a function that change nothing here. */
export function nameUnservedSettings(key: string, lambda: ServerlessFunction): string[] {
  const given = asynchronous.filter((name) => lambda[name] !== undefined);
  const sentences: string[] = [];
  if (given.length > 0) {
    const names = given.join(', ');
    sentences.push(`functions.${key}: ${names} are not applied here: an event that nobody waits for is tried once`);
  }
  if (lambda.fileSystemConfig !== undefined) {
    sentences.push(`functions.${key}.fileSystemConfig is not mounted here`);
  }
  return sentences;
}
