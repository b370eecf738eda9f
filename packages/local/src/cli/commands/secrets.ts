import { type Command, UsageError } from '../command.ts';

const secrets: Command = {
  name: 'secrets',
  summary: "Write a secret of a deployed stage into AWS's parameter store",
  positionals: 'set <NAME>',
  options: {
    stage: { usage: 'The stage (default: dev)', type: 'string', value: 'stage' },
    region: { usage: 'The region (default: that of the AWS configuration)', type: 'string', value: 'region' },
    parameter: {
      usage: "The parameter's name (default: /<service>/<stage>/<name>, such as /api/prod/cursor-secret)",
      type: 'string',
      value: 'name',
    },
    generate: { usage: 'Generate a random value instead of reading one', type: 'boolean' },
    'keep-previous': { usage: 'Keep the present value as a second line, for a rotation', type: 'boolean' },
  },
  examples: [
    ['throughline secrets set HONEYCOMB_KEY --stage prod', 'asks for the value'],
    ['throughline secrets set CURSOR_SECRET --stage prod --generate --keep-previous', 'rotates the secret'],
    ['throughline secrets set ROLLBAR_TOKEN --stage prod < token.txt', 'reads the value from a file'],
  ],
  async run({ values, positionals, directory, output, errorOutput }) {
    const [action, name, third] = positionals;
    if (action !== 'set' || name === undefined || third !== undefined || !/^[A-Z][A-Z0-9_]*$/.test(name)) {
      throw new UsageError('secrets takes "set" and the name of a secret: throughline secrets set CURSOR_SECRET');
    }
    const { generateSecret, parameterName, readSecret, writeSecret } = await import('../secrets.ts');
    const stage = typeof values.stage === 'string' ? values.stage : 'dev';
    const given = values.parameter;
    const parameter = typeof given === 'string' ? given : await parameterName(directory, stage, name);
    const value = values.generate === true ? generateSecret() : await readSecret(name, errorOutput);
    await writeSecret(parameter, value, {
      ...(typeof values.region === 'string' && { region: values.region }),
      keepPrevious: values['keep-previous'] === true,
    });
    output.write(`${parameter} is set. Functions that run use it within five minutes.\n`);
    return 0;
  },
};

export default secrets;
