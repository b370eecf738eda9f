import { type Command, UsageError } from '../command.ts';

const token: Command = {
  name: 'token',
  summary: 'Print a token that the local run accepts as a user’s',
  positionals: '<user>',
  options: {
    lifetime: { usage: 'Seconds until it expires (default: 3600; negative: expired)', type: 'string', value: 's' },
  },
  examples: [
    ['throughline token worf', 'a token for worf'],
    ['curl -H "Authorization: Bearer $(npx throughline token worf)" …', 'a request as worf'],
  ],
  async run({ values, positionals, directory, output }) {
    const [user, second] = positionals;
    if (user === undefined || second !== undefined)
      throw new UsageError('token takes one user: throughline token worf');
    const lifetime = values.lifetime ?? '3600';
    if (typeof lifetime !== 'string' || !/^-?\d{1,9}$/.test(lifetime)) {
      throw new UsageError(`--lifetime takes a whole number of seconds, not "${lifetime}".`);
    }
    const { signToken } = await import('../../service/local-identity.ts');
    output.write(`${await signToken(directory, user, Number(lifetime))}\n`);
    return 0;
  },
};

export default token;
