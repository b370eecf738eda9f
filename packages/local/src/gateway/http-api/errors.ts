import type { GatewayAnswer } from '../answer.ts';

/** @returns an error as an HTTP API answers it: a status and `{"message": …}`. */
export function httpError(status: number, message: string, headers: [string, string][] = []): GatewayAnswer {
  return {
    status,
    headers: [['content-type', 'application/json'], ...headers],
    body: Buffer.from(JSON.stringify({ message })),
  };
}

export const unauthorized = (): GatewayAnswer => httpError(401, 'Unauthorized', [['www-authenticate', 'Bearer']]);
export const forbidden = (): GatewayAnswer => httpError(403, 'Forbidden');
export const internalError = (): GatewayAnswer => httpError(500, 'Internal Server Error');
