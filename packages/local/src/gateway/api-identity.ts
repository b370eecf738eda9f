import { createHash, randomBytes } from 'node:crypto';
import type { LocalService } from '../service/model.ts';
import { localAccountId } from '../service/read.ts';

/** The identifiers of this API and its stage, in place of those that AWS would give out. */
export interface ApiIdentity {
  /** 10 letters and digits, the same at every start of the same service and stage. */
  id: string;
  accountId: string;
  region: string;
  stage: string;
  /** `<api>/<stage>`: X-Ray's name for it. */
  segmentName: string;
  stageArn: string;
}

/**
 * @returns `length` letters and digits that depend on `seed` alone, like the ids that API Gateway
 * gives out.
 */
export function stableId(seed: string, length: number): string {
  const digest = BigInt(`0x${createHash('sha256').update(seed).digest('hex')}`);
  return digest.toString(36).slice(-length);
}

/** @returns the identity of a service's REST API on this machine. */
export function apiIdentity(service: LocalService): ApiIdentity {
  const id = stableId(`${service.name}/${service.stage}/${service.region}`, 10);
  return {
    id,
    accountId: localAccountId,
    region: service.region,
    stage: service.stage,
    segmentName: `${service.gateway.name}/${service.stage}`,
    stageArn: `arn:aws:apigateway:${service.region}::/restapis/${id}/stages/${service.stage}`,
  };
}

/**
 * @returns an extended request id: 11 random bytes in Base64, ending in `=` as those of API Gateway
 * do.
 */
export function extendedRequestId(): string {
  return randomBytes(11).toString('base64');
}
