import { publicRoute } from '../src/http/api.ts';

/** `GET /api/health-check`: answers that the function runs. It does not read the table. */
export const handler = publicRoute('health-check', () => ({ body: { success: true, ver: 1 } }));
