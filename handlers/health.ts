import { publicRoute } from '../src/http/api.ts';

/** `GET /api/health-check`: that the function runs; it asks nothing of the table. */
export const handler = publicRoute('health-check', () => ({ body: { success: true, ver: 1 } }));
