'use strict';

/**
 * `custom.openTelemetryChoice` of serverless.yml: what `custom.openTelemetry` chooses of
 * `custom.openTelemetryChoices`. Of a choice that is none, Serverless' own variables say but that a
 * value was not found.
 * @throws a string: of an error Serverless prints the stack.
 */
module.exports = async ({ resolveConfigurationProperty }) => {
  const choices = await resolveConfigurationProperty(['custom', 'openTelemetryChoices']);
  const chosen = await resolveConfigurationProperty(['custom', 'openTelemetry']);
  if (Object.hasOwn(choices, chosen)) return choices[chosen];
  const names = new Intl.ListFormat('en', { type: 'disjunction' }).format(Object.keys(choices));
  throw `OPENTELEMETRY (custom.openTelemetry) is "${chosen}", and has to be ${names}.`;
};
