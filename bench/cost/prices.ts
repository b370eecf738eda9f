/**
 * Prices in US dollars: us-east-1, without the free tier. Read on 2026-11-27 from AWS's price pages,
 * as far as they are public text; check them before you decide by them:
 * aws.amazon.com/api-gateway/pricing, /lambda/pricing, /dynamodb/pricing/on-demand,
 * /cloudwatch/pricing, /xray/pricing, /waf/pricing.
 */
export const prices = {
  /** A million requests to a REST API, the first 333 million of a month. */
  restRequests: 3.5,
  /** A million invocations. */
  invocations: 0.2,
  /** A GB-second on arm64. */
  gigabyteSecond: 0.0000133334,
  /** A million read and write request units, on demand. */
  readUnits: 0.125,
  writeUnits: 0.625,
  /** A GB of log lines taken in. */
  logGigabyte: 0.5,
  /** A million traces recorded. */
  traces: 5,
  /** A metric a month, the first 10,000. */
  metric: 0.3,
} as const;

/** Recorded by X-Ray, as resources/xray.yml has it beyond one request a second. */
export const recordedShare = 0.1;
/** Kept for Honeycomb, as stages/prod.yml has it. */
export const keptShare = 0.1;
