import { config } from '../../config.ts';
import { LocalFailure } from '../../local-failure.ts';
import { toJson } from '../../trace/to-json.ts';
import type { TextOutput } from '../output.ts';
import { plain } from '../render/text.ts';
import { type Authorization, HoneycombApi } from './api.ts';
import { pull } from './pull.ts';
import { type Change, push } from './push.ts';
import { readQueryFiles } from './saved-queries.ts';

export interface HoneycombOptions {
  action: 'push' | 'diff' | 'pull' | 'mark';
  /** Of `pull`. */
  query?: string;
  dataset: string;
  board: string;
  /** The slug of the environment that the key must be of. */
  environment?: string;
  apiUrl?: string;
  dryRun: boolean;
  json: boolean;
  force: boolean;
  as?: string;
  marker: { message?: string; type: string; url?: string; start?: number; end?: number };
  serviceDirectory: string;
  output: TextOutput;
  errorOutput: TextOutput;
  signal: AbortSignal;
}

const knownRights: Record<HoneycombOptions['action'], string[]> = {
  push: ['queries', 'boards'],
  diff: ['queries', 'boards'],
  pull: ['queries'],
  mark: ['markers'],
};

/** What Honeycomb's page calls each right. */
const knownNames: Record<string, string> = {
  queries: 'Manage Queries and Columns',
  boards: 'Manage Public Boards',
  markers: 'Manage Markers',
};

/**
 * Brings the queries of a service to Honeycomb and back, and marks deployments there.
 * @returns the exit code: 1 where `diff` found a difference.
 * @throws LocalFailure with a sentence that says what to do.
 */
export async function runHoneycomb(options: HoneycombOptions): Promise<number> {
  const { action, output, errorOutput, serviceDirectory, dataset, board, signal, json } = options;
  const key = config.honeycombApiKey();
  if (key === '') {
    throw new LocalFailure(
      'HONEYCOMB_API_KEY is not set: it takes a configuration key, from "Environment settings, API keys" in Honeycomb.',
    );
  }
  // A header takes nothing else; fetch would name the key in its error.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new LocalFailure('HONEYCOMB_API_KEY has characters that no key has.');
  const files = action === 'push' || action === 'diff' ? await readQueryFiles(serviceDirectory) : [];
  const url = apiUrl(options.apiUrl ?? config.honeycombApiUrl());
  const api = new HoneycombApi({ url, key, signal });
  checkRights(await api.authorization(), options);
  if (action === 'mark') return mark(api, options);
  if (action === 'pull') {
    const { query = '', as, force, dryRun } = options;
    const pulled = await pull(api, {
      query,
      dataset,
      directory: serviceDirectory,
      force,
      dryRun,
      ...(as !== undefined && { as }),
    });
    for (const note of pulled.notes)
      errorOutput.write(`${plain(`${pulled.file}:${note} It runs in Honeycomb alone.`)}\n`);
    output.write(json || dryRun ? pulled.text : `${plain(`Wrote ${pulled.file}.`)}\n`);
    return 0;
  }
  const dryRun = options.dryRun || action === 'diff';
  const changes = await push(api, files, { dataset, board, dryRun });
  const differs = changes.some(({ state }) => state !== 'unchanged');
  output.write(json ? `${toJson(changes, 2)}\n` : described(changes, dryRun, differs));
  return action === 'diff' && differs ? 1 : 0;
}

function apiUrl(given: string): string {
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given;
  throw new LocalFailure(
    `The API's address ${JSON.stringify(given)} is not a URL. Honeycomb's are https://api.honeycomb.io and https://api.eu1.honeycomb.io.`,
  );
}

function checkRights(
  { rights, type, environment, team }: Authorization,
  { action, environment: wanted, dataset }: HoneycombOptions,
): void {
  if (wanted !== undefined && environment !== wanted) {
    const actual =
      environment === '' ? 'a classic account without environments' : `environment ${JSON.stringify(environment)}`;
    throw new LocalFailure(
      `The API key is of ${actual} of team ${JSON.stringify(team)}, not of ${JSON.stringify(wanted)}. Nothing was changed.`,
    );
  }
  if (type === 'ingest') {
    throw new LocalFailure(
      'The API key is an ingest key, which can only send events. Use a configuration key of the same environment.',
    );
  }
  const missing = knownRights[action].filter((right) => rights[right] !== true);
  if (missing.length > 0) {
    const names = missing.map((right) => `"${knownNames[right]}"`).join(' and ');
    throw new LocalFailure(
      `The API key lacks the right ${names}. Grant it in Honeycomb, or use another key. Nothing was changed.`,
    );
  }
  if (environment === '' && dataset === '__all__' && action !== 'mark') {
    throw new LocalFailure('A classic account has no queries over all data sets: name one with --dataset.');
  }
}

async function mark(api: HoneycombApi, { marker, dataset, dryRun, json, output }: HoneycombOptions): Promise<number> {
  const { message, type, url, start, end } = marker;
  const body = {
    ...(message !== undefined && { message }),
    type,
    ...(url !== undefined && { url }),
    ...(start !== undefined && { start_time: start }),
    ...(end !== undefined && { end_time: end }),
  };
  if (dryRun) {
    output.write(`Would mark ${dataset}: ${toJson(body)}\n`);
    return 0;
  }
  const made = await api.send('POST', `/1/markers/${encodeURIComponent(dataset)}`, body);
  output.write(json ? `${toJson(made, 2)}\n` : `${plain(`Marked ${dataset}: ${type} ${message ?? ''}`).trimEnd()}\n`);
  return 0;
}

const words = {
  create: ['Created', 'Would create'],
  update: ['Updated', 'Would update'],
  remove: ['Removed', 'Would remove'],
} as const;

function described(changes: Change[], dryRun: boolean, differs: boolean): string {
  const lines = changes.flatMap(({ what, name, state, because }) => {
    if (state === 'unchanged') return [];
    const reason = because === undefined ? '' : `: ${because}`;
    return [`${words[state][dryRun ? 1 : 0]} ${what} ${JSON.stringify(name)}${reason}.`];
  });
  const same = changes.filter(({ state }) => state === 'unchanged').length;
  const rest = differs ? `${same} unchanged.` : 'Nothing to change: Honeycomb has these queries already.';
  return `${[...lines, rest].map(plain).join('\n')}\n`;
}
