/** Writes docs/openapi.json: `npm run openapi`. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateDocument } from './generate.ts';

const file = path.join(import.meta.dirname, '../../docs/openapi.json');
await writeFile(file, `${JSON.stringify(await generateDocument(), null, 2)}\n`);
