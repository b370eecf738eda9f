import { globSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { circles, importsOf, read, root, sources } from './fixtures/imports.ts';

function offences(files: string[], isForbidden: (imported: string, file: string) => boolean): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter((imported) => isForbidden(imported, file))
      .map((imported) => `${file} imports ${imported}`),
  );
}

function filesThatMatch(files: string[], pattern: RegExp): string[] {
  return files.filter((file) => pattern.test(read(file)));
}

const service = () => sources('handlers/*.ts', 'src/**/*.ts');
const telemetry = () => sources('packages/telemetry/{src,layer}/**/*.ts');
const local = () => sources('packages/local/src/**/*.{ts,tsx,js}');

describe('the products', () => {
  it('import neither each other nor the service, if they are packages', () => {
    const isForeign = (own: string) => (imported: string) =>
      /^(@throughline\/|serverless-throughline)/.test(imported) ||
      (/^(src|handlers|stages|test|packages)\//.test(imported) && !imported.startsWith(own));
    expect(offences(telemetry(), isForeign('packages/telemetry/'))).toEqual([]);
    expect(offences(local(), isForeign('packages/local/'))).toEqual([]);
  });

  it('reach telemetry through the entry of @throughline/telemetry alone', () => {
    const isInside = (imported: string) =>
      imported.startsWith('packages/') || /^(@throughline\/telemetry\/|serverless-throughline)/.test(imported);
    expect(offences(service(), isInside)).toEqual([]);
  });

  it('do not mention Cruddur, if they are packages', () => {
    const words = /cruddur|andrewbrown|WORD#|user_receiver_handle|['"^]bio\b/i;
    expect(filesThatMatch([...telemetry(), ...local()], words)).toEqual([]);
  });

  it('use each telemetry library and the database in one place', () => {
    const isTelemetry = (imported: string) =>
      /^(@aws-lambda-powertools\/(logger|metrics|tracer)|aws-xray-sdk|@opentelemetry\/|rollbar$)/.test(imported);
    // The one handler that shows Powertools' own API.
    const withoutExample = service().filter((file) => file !== 'handlers/notifications.ts');
    expect(offences([...withoutExample, ...local()], isTelemetry)).toEqual([]);
    const outsideStore = local().filter((file) => !file.startsWith('packages/local/src/store/'));
    expect(offences(outsideStore, (imported) => imported.startsWith('@duckdb/'))).toEqual([]);
  });

  it("give functions no newer version of OpenTelemetry's API than the community layer has", () => {
    const deployed = [...service(), ...sources('packages/telemetry/src/**/*.ts')];
    expect(offences(deployed, (imported) => imported === '@opentelemetry/api')).toEqual([]);
  });
});

describe('the folders', () => {
  it('have no circle of files', () => {
    expect(circles([...service(), ...telemetry(), ...local()])).toEqual([]);
  });

  it.each(Object.entries(mayImport()))('keep %s to the folders that it may import', (folder, allowed) => {
    const files = sources(`${folder}/**/*.{ts,tsx,js}`);
    const home = folder.split('/').slice(0, 3).join('/');
    const isAllowed = (imported: string) =>
      !imported.startsWith(home) ||
      imported.startsWith(`${folder}/`) ||
      allowed.some((name) => imported === `${home}/${name}` || imported.startsWith(`${home}/${name}/`)) ||
      // The ground: the files of a package's root that import nothing but each other.
      ground(home).includes(imported);
    expect(offences(files, (imported) => !isAllowed(imported))).toEqual([]);
  });

  it('do not know Lambda, if they are features', () => {
    const files = sources('src/{activities,messages,users,table}/**/*.ts');
    expect(offences(files, (imported) => imported === 'aws-lambda' || imported.startsWith('@middy/'))).toEqual([]);
  });

  it('read the environment in one file of each product', () => {
    const isExempt = (file: string) =>
      /^(src|packages\/(telemetry|local)\/src)\/config\.ts$/.test(file) ||
      // It runs inside the function's process.
      file.startsWith('packages/local/src/lambda/runtime/') ||
      // It writes the variables that `sls invoke local` reads.
      file === 'packages/local/src/plugin.ts';
    const files = [...service(), ...telemetry(), ...local()].filter((file) => !isExempt(file));
    expect(filesThatMatch(files, /process\.env\b/)).toEqual([]);
  });

  it("keep a package's tests out of the other packages' internals", () => {
    const reachesInto = (inside: RegExp) => (imported: string) => inside.test(imported);
    expect(offences(sources('packages/telemetry/test/**/*.ts'), reachesInto(/^(packages\/local|src)\//))).toEqual([]);
    expect(offences(sources('packages/local/test/**/*.ts'), reachesInto(/^(packages\/telemetry|src)\//))).toEqual([]);
  });
});

describe('one name everywhere', () => {
  const names = (pattern: string, ending: string) =>
    sources(pattern)
      .map((file) => path.basename(file, ending))
      .sort();

  it('gives each handler its events and its test', () => {
    const handlers = names('handlers/*.ts', '.ts');
    expect(names('events/*', '')).toEqual(handlers);
    expect(names('test/handlers/*.test.ts', '.test.ts')).toEqual(handlers);
  });

  it('holds in the documents: every file that they name exists', () => {
    const documents = sources('*.md', 'docs/**/*.md', 'packages/*/*.md');
    const missing = documents.flatMap((document) =>
      [...read(document).matchAll(/`((?:packages|src|handlers|test|stages|events|queries|bench|docs)\/[\w./-]+)`/g)]
        .map(([, name = '']) => name)
        .filter((name) => globSync(name.replace(/\/$/, ''), { cwd: root }).length === 0)
        .map((name) => `${document} names ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('the manifests', () => {
  const manifests = () => sources('package.json', 'packages/*/package.json');
  type Manifest = Record<'dependencies' | 'devDependencies', Record<string, string> | undefined>;

  it('name no registry host in the lock file', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved":\s*"https?:/);
  });

  it("lock the parts that other machines than the author's install", () => {
    const lock = JSON.parse(read('package-lock.json'));
    const packages = lock.packages as Record<string, { optionalDependencies?: Record<string, string> }>;
    const locked = new Set(Object.keys(packages).map((place) => place.split('node_modules/').at(-1)));
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });

  it('pin every dependency to one version', () => {
    const loose = manifests().flatMap((file) => {
      const { dependencies, devDependencies } = JSON.parse(read(file)) as Manifest;
      return Object.entries({ ...dependencies, ...devDependencies })
        .filter(([, version]) => !/^(npm:[@\w/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${file}: ${name} ${version}`);
    });
    expect(loose).toEqual([]);
  });
});

function ground(home: string): string[] {
  return globSync(`${home}/*.{ts,js}`, { cwd: root })
    .filter((file) =>
      importsOf(file).every((imported) => !imported.startsWith(`${home}/`) || !/\/src\/.*\//.test(imported)),
    )
    .map((file) => file.split(path.sep).join('/'));
}

/**
 * Which folders of its package a folder may import, from the top floor to the ground (docs:
 * ARCHITECTURE.md).
 */
function mayImport(): Record<string, string[]> {
  const under = (home: string, table: Record<string, string[]>) =>
    Object.fromEntries(Object.entries(table).map(([folder, allowed]) => [`${home}/${folder}`, allowed]));
  return {
    ...under('packages/telemetry/src', {
      lifecycle: ['calls', 'signals', 'errors', 'export', 'redaction', 'context'],
      calls: ['signals', 'errors', 'redaction', 'context'],
      signals: ['errors', 'redaction', 'context'],
      errors: ['export', 'redaction', 'context'],
      redaction: ['context'],
      export: ['context'],
      context: [],
    }),
    ...under('packages/local/src', {
      services: ['receiver', 'http', 'store', 'query', 'service', 'trace'],
      console: ['store', 'explain', 'query', 'http', 'service', 'format', 'trace'],
      gateway: ['lambda/invocation', 'http', 'service', 'trace'],
      cli: ['store', 'explain', 'query', 'service', 'format', 'trace'],
      lambda: ['http', 'service', 'trace'],
      store: ['query', 'source-map', 'service/state-directory.ts', 'trace'],
      explain: ['format', 'trace'],
      query: ['trace'],
      'source-map': ['trace'],
      bundle: ['service'],
      receiver: ['http', 'trace'],
      http: [],
      service: [],
      format: ['trace'],
      trace: [],
    }),
    ...under('src', {
      activities: ['table', 'users'],
      messages: ['table', 'users'],
      users: ['table'],
      table: [],
      http: ['table', 'users'],
    }),
  };
}
