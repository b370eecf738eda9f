import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { GetParameterCommand, ParameterNotFound, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { LocalFailure } from '../local-failure.ts';
import type { TextOutput } from './output.ts';

/** A standard parameter holds at most 4 KB. */
const mostBytes = 4_096;

/** @returns a secret of 256 random bits. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * @returns `/<service>/<stage>/<name>` with the name of the service from serverless.yml.
 * @throws {LocalFailure} when the service's name is not a literal in serverless.yml.
 */
export async function parameterName(directory: string, stage: string, name: string): Promise<string> {
  const file = path.join(directory, 'serverless.yml');
  const configuration = await readFile(file, 'utf8').catch(() => '');
  const service = /^service:\s*['"]?([A-Za-z0-9-]+)['"]?\s*(#.*)?$/m.exec(configuration)?.[1];
  if (service === undefined) {
    throw new LocalFailure(
      `${file} does not name the service. Name the parameter: --parameter /service/${stage}/name.`,
    );
  }
  return `/${service}/${stage}/${name.toLowerCase().replaceAll('_', '-')}`;
}

/** Reads a value from standard input: without showing it at a terminal, else to the end. */
export async function readSecret(name: string, prompt: TextOutput): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).trim();
  prompt.write(`${name}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return (await terminal.question('')).trim();
  } finally {
    terminal.close();
    prompt.write('\n');
  }
}

/**
 * Writes a SecureString. The value is never printed, and errors of AWS do not repeat it.
 * @throws {LocalFailure} when it is empty, too long, or AWS refuses it.
 */
export async function writeSecret(
  parameter: string,
  value: string,
  options: { region?: string; keepPrevious: boolean },
): Promise<void> {
  if (value === '') throw new LocalFailure(`The value of ${parameter} is empty: nothing is written.`);
  try {
    const client = new SSMClient({ ...(options.region && { region: options.region }) });
    const previous = options.keepPrevious ? await read(client, parameter) : undefined;
    const Value = previous === undefined ? value : `${value}\n${previous.split('\n')[0]}`;
    if (Buffer.byteLength(Value) > mostBytes) throw new LocalFailure(`The value of ${parameter} is longer than 4 KB.`);
    await client.send(new PutParameterCommand({ Name: parameter, Value, Type: 'SecureString', Overwrite: true }));
  } catch (error) {
    if (error instanceof LocalFailure) throw error;
    const reason = error instanceof Error ? error.message.replaceAll(value, '…') : String(error);
    throw new LocalFailure(`${parameter} is not written: ${reason} Check AWS_PROFILE and AWS_REGION (or --region).`);
  }
}

async function read(client: SSMClient, parameter: string): Promise<string | undefined> {
  try {
    return (await client.send(new GetParameterCommand({ Name: parameter, WithDecryption: true }))).Parameter?.Value;
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  }
}
