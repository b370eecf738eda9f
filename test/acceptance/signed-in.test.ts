import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../fixtures/cruddur/api.ts';
import { json } from '../fixtures/cruddur/api.ts';
import { overHttp } from '../fixtures/cruddur/over-http.ts';
import { projectDirectory } from '../sls.ts';

const throughline = path.join(projectDirectory, 'node_modules', '.bin', 'throughline');

async function token(user: string, ...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(throughline, ['token', user, ...options], { cwd: projectDirectory });
  return stdout.trim();
}

describe('a caller of the local run', () => {
  let api: Api;
  beforeAll(async () => {
    api = await overHttp();
  });
  afterAll(() => api?.stop());

  const groups = (token: string) =>
    api.send('GET', '/api/message_groups', { headers: { Authorization: `Bearer ${token}` } });

  it('is the user of a token that throughline token prints', async () => {
    const answer = await groups(await token('bayko'));
    expect(answer.status).toBe(200);
    expect(json<{ handle: string }[]>(answer).map(({ handle }) => handle)).toEqual(['andrewbrown']);
  });

  it('is anonymous with an expired or changed token', async () => {
    expect((await groups(await token('bayko', '--lifetime=-1'))).status).toBe(401);
    const [head = '', claims = '', signature = ''] = (await token('bayko')).split('.');
    const changed = Buffer.from(claims, 'base64url').toString().replaceAll('bayko', 'worf');
    expect((await groups(`${head}.${Buffer.from(changed).toString('base64url')}.${signature}`)).status).toBe(401);
  });

  it('is anonymous on a public route with an invalid token, and is answered', async () => {
    const answer = await api.send('GET', '/api/activities/home', { headers: { Authorization: 'Bearer abc' } });
    expect(answer.status).toBe(200);
  });
});
