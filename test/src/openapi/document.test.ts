import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { generateDocument } from '../../../src/openapi/generate.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

describe("the API's description", () => {
  let document: Awaited<ReturnType<typeof generateDocument>>;
  beforeAll(async () => {
    for (const [name, value] of Object.entries(parseEnv(read('src/openapi/placeholders.env')))) vi.stubEnv(name, value);
    document = await (await import('../../../src/openapi/generate.ts')).generateDocument();
    return () => vi.unstubAllEnvs();
  });

  it('is kept in docs/openapi.json: npm run openapi writes it', () => {
    expect(JSON.parse(read('docs/openapi.json'))).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('has an operation for each HTTP event', () => {
    const events = read('serverless.yml').match(/- http: /g) ?? [];
    const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
    expect(operations.length).toBe(events.length);
  });

  it('takes the limits of a body from the schema that checks it', () => {
    expect(document.paths['/api/activities']?.post).toMatchObject({
      requestBody: {
        content: {
          'application/json': {
            schema: {
              properties: {
                message: { type: 'string', maxLength: 280 },
                ttl: { enum: expect.arrayContaining(['1-day']) },
              },
              required: ['ttl', 'message'],
            },
          },
        },
      },
    });
  });

  it('refers to schemas that exist', () => {
    const references = JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g);
    const missing = [...references]
      .map(([, name = '']) => name)
      .filter((name) => !(name in document.components.schemas));
    expect(missing).toEqual([]);
  });
});
