import { Ajv, type ValidateFunction } from 'ajv';
import AjvDraft04 from 'ajv-draft-04';
import type { RequestValidation } from '../../service/apis/api-model.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import { firstMediaType } from '../answer.ts';
import { type GatewayRequest, lastValue, parseQuery } from '../gateway-request.ts';
import { type GatewayError, gatewayErrors, missingParameters } from '../responses/gateway-responses.ts';

export type ValidateRequest = (
  validation: RequestValidation,
  request: GatewayRequest,
  pathParameters: Record<string, string> | null,
  body: Buffer,
) => GatewayError | undefined;

const options = { strict: false, validateFormats: false, logger: false } as const;

/** Models are JSON schema draft 4, the version without `$schema`; newer ones name themselves. */
function compile(given: unknown): ValidateFunction {
  const { $schema, ...schema } = (typeof given === 'string' ? JSON.parse(given) : given) as Record<string, unknown>;
  const newer = typeof $schema === 'string' && !/draft-0?[34]/.test($schema);
  return newer ? new Ajv(options).compile(schema) : new AjvDraft04.default(options).compile(schema);
}

function missing(
  { required }: RequestValidation,
  request: GatewayRequest,
  path: Record<string, string> | null,
): string[] {
  const query = new Set(parseQuery(request.query).map(([name]) => name));
  return required
    .filter(({ location, name }) => {
      if (location === 'header') return !request.headers.has(name.toLowerCase());
      return location === 'querystring' ? !query.has(name) : !Object.hasOwn(path ?? {}, name);
    })
    .map(({ name }) => name)
    .sort();
}

/**
 * Creates the validator of requests: required parameters first, then the body by the schema of its
 * media type.
 */
export function createRequestValidator(sink: TelemetrySink): ValidateRequest {
  const compiled = new WeakMap<RequestValidation, Map<string, ValidateFunction | undefined>>();
  const validatorOf = (validation: RequestValidation, type: string): ValidateFunction | undefined => {
    const known = compiled.get(validation) ?? new Map<string, ValidateFunction | undefined>();
    compiled.set(validation, known);
    if (!known.has(type)) {
      try {
        known.set(type, compile(validation.schemas[type]));
      } catch (error) {
        sink.rejected('gateway', 'A request schema is not a valid JSON schema.', String(error));
        known.set(type, undefined);
      }
    }
    return known.get(type);
  };

  return (validation, request, pathParameters, body) => {
    const absent = missing(validation, request, pathParameters);
    if (absent.length > 0) return missingParameters(absent);
    const sent = firstMediaType(lastValue(request, 'content-type')) ?? 'application/json';
    const types = Object.keys(validation.schemas);
    const type = types.find((one) => firstMediaType(one) === sent) ?? types.find((one) => one === '$default');
    // A body of a type without a model is not validated, as on AWS.
    if (type === undefined) return undefined;
    const isValid = validatorOf(validation, type);
    try {
      if (isValid?.(JSON.parse(body.length === 0 ? '{}' : body.toString('utf8')))) return undefined;
    } catch {
      // Not JSON.
    }
    return gatewayErrors.invalidBody;
  };
}
