import { defaultSamplingRule, type LocalService, type SamplingRule } from '../../service/model.ts';
import { localAccountId } from '../../service/read.ts';
import { type Body, invalidRequest, timestamp } from './api-request.ts';

/** How often an SDK shall report, and for how long what it is told holds; X-Ray's own values. */
const intervalSeconds = 10;
/** A client that has not reported for three intervals has no share in the reservoirs. */
const clientForgottenMilliseconds = 3 * intervalSeconds * 1000;

interface Statistics {
  RuleName: string;
  Timestamp: number;
  RequestCount: number;
  SampledCount: number;
  BorrowCount: number;
}

/** The sampling rules of the service, and what its SDKs report and are told of them. */
export class Sampling {
  readonly #rules: SamplingRule[];
  readonly #region: string;
  readonly #since = Date.now() / 1000;
  readonly #clients = new Map<string, number>();
  readonly #statistics = new Map<string, Statistics>();

  constructor(service: LocalService | undefined) {
    const own = service?.samplingRules ?? [];
    this.#rules = own.some(({ RuleName }) => RuleName === 'Default') ? [...own] : [...own, defaultSamplingRule];
    this.#region = service?.region ?? 'us-east-1';
  }

  /** GetSamplingRules */
  rules(): Body {
    const records = this.#rules.map((rule) => ({
      SamplingRule: {
        ...rule,
        RuleARN: `arn:aws:xray:${this.#region}:${localAccountId}:sampling-rule/${rule.RuleName}`,
        Version: 1,
        Attributes: rule.Attributes ?? {},
      },
      CreatedAt: this.#since,
      ModifiedAt: this.#since,
    }));
    return { SamplingRuleRecords: records };
  }

  /** GetSamplingTargets. @throws ApiError for invalid statistics. */
  targets(body: Body): Body {
    const documents = body.SamplingStatisticsDocuments;
    if (!Array.isArray(documents) || documents.length > 25) {
      throw invalidRequest('SamplingStatisticsDocuments must be a list of at most 25.');
    }
    const now = Date.now();
    const targets: Body[] = [];
    const unprocessed: Body[] = [];
    for (const document of documents as Body[]) {
      const client = this.#record(document, now);
      const rule = this.#rules.find(({ RuleName }) => RuleName === document.RuleName);
      if (!rule) {
        const name = document.RuleName;
        unprocessed.push({ RuleName: name, ErrorCode: '400', Message: `There is no sampling rule ${name}.` });
        continue;
      }
      targets.push({
        RuleName: rule.RuleName,
        FixedRate: rule.FixedRate,
        ReservoirQuota: this.#share(rule.ReservoirSize, client),
        ReservoirQuotaTTL: Math.floor(now / 1000) + intervalSeconds,
        Interval: intervalSeconds,
      });
    }
    return {
      SamplingTargetDocuments: targets,
      LastRuleModification: this.#since,
      UnprocessedStatistics: unprocessed,
    };
  }

  /** GetSamplingStatisticSummaries: what SDKs reported, of each rule since the start. */
  statistics(): Body {
    return { SamplingStatisticSummaries: [...this.#statistics.values()] };
  }

  #record(document: Body, now: number): string {
    const { RuleName: name, ClientID: client } = document ?? {};
    if (typeof name !== 'string' || name.length < 1 || name.length > 32)
      throw invalidRequest('RuleName must have 1-32 characters.');
    if (typeof client !== 'string' || client.length !== 24) throw invalidRequest('ClientID must have 24 characters.');
    const time = timestamp(document, 'Timestamp') / 1000;
    const count = (key: string) => {
      const value = document[key] ?? 0;
      if (!Number.isInteger(value) || (value as number) < 0)
        throw invalidRequest(`${key} must be a whole number from 0.`);
      return value as number;
    };
    const counts = [count('RequestCount'), count('SampledCount'), count('BorrowCount')] as const;
    for (const [other, seen] of this.#clients) {
      if (now - seen > clientForgottenMilliseconds) this.#clients.delete(other);
    }
    this.#clients.set(client, now);
    if (this.#rules.some(({ RuleName }) => RuleName === name)) {
      const sum = this.#statistics.get(name);
      this.#statistics.set(name, {
        RuleName: name,
        Timestamp: time,
        RequestCount: (sum?.RequestCount ?? 0) + counts[0],
        SampledCount: (sum?.SampledCount ?? 0) + counts[1],
        BorrowCount: (sum?.BorrowCount ?? 0) + counts[2],
      });
    }
    return client;
  }

  /** The reservoir is shared out evenly; the clients that came first get what is left over. */
  #share(reservoir: number, client: string): number {
    const place = [...this.#clients.keys()].indexOf(client);
    const even = Math.floor(reservoir / this.#clients.size);
    return even + (place < reservoir % this.#clients.size ? 1 : 0);
  }
}
