import { HttpError } from '../../http/http-error.ts';
import { defaultLimits } from '../../receiver/receiver.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import { otlpReceiver } from './index.ts';

/**
 * @returns a function that takes the body of an OTLP trace request in JSON, with the receiver's
 *   limits, and resolves with the receiver's answer.
 */
export function spansInto(sink: TelemetrySink): (body: Buffer) => Promise<{ status: number; body: string }> {
  const receiver = otlpReceiver(sink, defaultLimits);
  return async (body) => {
    const request = {
      method: 'POST',
      path: '/v1/traces',
      query: '',
      headers: { 'content-type': 'application/json' },
      body: async () => body,
    };
    try {
      const answer = await receiver.answer(request);
      return { status: answer.status, body: String(answer.body ?? '') };
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const { status, body: said = '' } = receiver.refuse(error, request);
      return { status, body: String(said) };
    }
  };
}
