import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

function sources(...patterns: string[]): string[] {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root }));
  expect(files.length, `${patterns} matches nothing: the rule would hold for ever`).toBeGreaterThan(0);
  return files;
}

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import|import\(|require\()\s*['"]([^'"]+)['"]/g)].map(
    ([, name = '']) => name,
  );
  return specifiers.map((name) =>
    name.startsWith('.') ? path.posix.normalize(path.posix.join(path.posix.dirname(file), name)) : name,
  );
}

function offences(files: string[], isForbidden: (imported: string) => boolean): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter(isForbidden)
      .map((imported) => `${file} imports ${imported}`),
  );
}

describe('the layers of the project', () => {
  it('what is deployed never imports the local cloud', () => {
    const files = sources('handlers/*.ts', 'src/**/*.ts', 'layer/**/*.ts');
    expect(offences(files, (imported) => imported.startsWith('local/'))).toEqual([]);
  });

  it('the local cloud knows nothing of Cruddur', () => {
    const files = sources('local/**/*.{ts,js}');
    expect(offences(files, (imported) => /^(src|handlers|layer)\//.test(imported))).toEqual([]);
    const naming = files.filter((file) => /cruddur|andrewbrown/i.test(readFileSync(path.join(root, file), 'utf8')));
    expect(naming).toEqual([]);
  });

  it('features do not know that they run on Lambda', () => {
    const files = sources('src/{activities,messages,users,table}/**/*.ts');
    expect(offences(files, (imported) => imported === 'aws-lambda' || imported.startsWith('@middy/'))).toEqual([]);
  });

  it('only src/config.ts reads the environment', () => {
    const files = sources('handlers/*.ts', 'src/**/*.ts').filter((file) => file !== 'src/config.ts');
    expect(files.filter((file) => readFileSync(path.join(root, file), 'utf8').includes('process.env'))).toEqual([]);
  });

  it('only src/telemetry imports a telemetry library', () => {
    const files = sources('handlers/*.ts', 'src/**/*.ts').filter((file) => !file.startsWith('src/telemetry/'));
    const isTelemetry = (imported: string) =>
      /^(@aws-lambda-powertools\/|aws-xray-sdk|@opentelemetry\/|rollbar)/.test(imported);
    expect(offences(files, isTelemetry)).toEqual([]);
  });

  it("functions have no newer version of OpenTelemetry's API than the community layer", () => {
    const files = sources('handlers/*.ts', 'src/**/*.ts');
    expect(offences(files, (imported) => imported === '@opentelemetry/api')).toEqual([]);
  });
});

describe('one name everywhere', () => {
  const names = (pattern: string, ending: string) =>
    sources(pattern)
      .map((file) => path.basename(file, ending))
      .sort();

  it('each handler has its events and its test', () => {
    const handlers = names('handlers/*.ts', '.ts');
    expect(names('events/*', '')).toEqual(handlers);
    expect(names('test/handlers/*.test.ts', '.test.ts')).toEqual(handlers);
  });
});

describe('the files', () => {
  it('name no registry host in the lock file', () => {
    expect(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved":\s*"https?:/);
  });

  it("lock the parts that other machines than the author's install", () => {
    interface Locked {
      optionalDependencies?: Record<string, string>;
    }
    const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
    const packages = lock.packages as Record<string, Locked>;
    const locked = new Set(Object.keys(packages).map((place) => place.split('node_modules/').at(-1)));
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });

  it('pin every dependency to one version', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    const versions = Object.entries({ ...dependencies, ...devDependencies } as Record<string, string>);
    expect(versions.filter(([, version]) => !/^(npm:[@\w/]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });
});
