import type { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { LocalService } from '../../service/model.ts';
import { sendableRequests } from './requests.ts';
import { readRequest, sendRequest } from './send-request.ts';

/** Takes an OTLP request in JSON; `status` and `body` are the receiver's answer. */
export type TakeSpans = (body: Buffer) => Promise<{ status: number; body: string }>;

/** API Gateway's limit for a body, and room for the JSON around it. */
const maximumBytes = 11_000_000;

/**
 * Adds the routes of the page's send panel. The console passes requests on to the API, because the
 * page's origin may call no service whose CORS does not name it; the hop adds about a millisecond to
 * the browser's span. The page's own spans come here too, as OTLP in JSON.
 * @param addresses `api` is empty until the gateway listens.
 */
export function addSendRoutes(
  app: Hono,
  service: LocalService,
  addresses: Readonly<Record<string, string>>,
  takeSpans: TakeSpans | undefined,
): void {
  const limit = bodyLimit({
    maxSize: maximumBytes,
    onError: (context) => context.json({ detail: `The request has more than ${maximumBytes} bytes.` }, 413),
  });
  app.get('/api/requests', async (context) => context.json(await sendableRequests(service)));
  app.post('/api/send', limit, async (context) => {
    const request = readRequest(await context.req.json().catch(() => undefined));
    if (typeof request === 'string') return context.json({ detail: request }, 400);
    const { api = '' } = addresses;
    try {
      return context.json(await sendRequest(api, request, context.req.raw.signal));
    } catch (error) {
      return context.json({ detail: `The API at ${api} did not answer: ${(error as Error).message}` }, 502);
    }
  });
  app.post('/v1/traces', limit, async (context) => {
    if (!takeSpans) return context.json({ detail: 'This console takes no spans.' }, 404);
    const { status, body } = await takeSpans(Buffer.from(await context.req.arrayBuffer()));
    return context.body(body, status === 200 ? 200 : 400, { 'content-type': 'application/json' });
  });
}
