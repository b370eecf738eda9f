import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectDirectory } from './sls.ts';

const read = (file: string) => readFileSync(path.join(projectDirectory, file), 'utf8');
const settings = read('packages/local/src/service/settings.ts');
const portOf = (name: string) => new RegExp(`^ {2}${name}: (\\d+),`, 'm').exec(settings)?.[1];

it('sends the daemon’s segments to the local X-Ray API, and listens where the comment says', () => {
  const daemon = read('docker/xray-daemon.yaml');
  expect(daemon).toContain(`Endpoint: http://127.0.0.1:${portOf('xray')}\n`);
  const address = /UDPAddress: (\S+)/.exec(daemon)?.[1];
  expect(read('docker-compose.yml')).toContain(`AWS_XRAY_DAEMON_ADDRESS=${address} npm start`);
  expect(read('packages/local/src/config.ts')).toContain('process.env.AWS_XRAY_DAEMON_ADDRESS');
});

it('sends the Collector’s telemetry to the local receivers and to Honeycomb', () => {
  const collector = read('docker/collector.yaml');
  expect(collector).toContain(`otlphttp/local: { endpoint: http://127.0.0.1:${portOf('otlp')} }`);
  expect(collector).toContain('endpoint: https://api.honeycomb.io');
  const variable = /\$\{env:(\w+)\}/.exec(collector)?.[1];
  expect(read('docker-compose.yml')).toContain(`${variable}: \${${variable}:-}`);
});

it('uses no port of the local run', () => {
  const taken = ['api', 'console', 'otlp', 'xray', 'dynamodb'].map(portOf);
  const collector = /http: \{ endpoint: 127\.0\.0\.1:(\d+) \}/.exec(read('docker/collector.yaml'))?.[1];
  const own = ['8001', '2002', collector];
  expect(taken.filter((port) => own.includes(port))).toEqual([]);
});

it('mounts files that exist, read-only, and needs no bridge to loopback', () => {
  const compose = read('docker-compose.yml');
  const mounts = [...compose.matchAll(/"\.\/([\w./-]+):[^":]+(:ro)?"/g)];
  expect(mounts).toHaveLength(2);
  for (const [, file = '', mode] of mounts) expect([read(file).length > 0, mode]).toEqual([true, ':ro']);
  const services = [...compose.matchAll(/^ {2}[\w-]+:$/gm)].length;
  expect(compose.match(/network_mode: host/g)).toHaveLength(services);
});
