import { randomUUID } from 'node:crypto';
import { cbor, dateToTag } from '@smithy/core/cbor';
import { HttpError } from '../../../http/http-error.ts';
import { isObject, type JsonObject, parseJson } from '../../../receiver/json.ts';
import {
  mediaType,
  type ReceiverAnswer,
  type ReceiverLimits,
  type ReceiverRequest,
} from '../../../receiver/receiver.ts';

/** A call of an operation, in whichever of CloudWatch's three protocols. */
export interface Call {
  operation: string;
  /** Members of the request; in the Query protocol, numbers and booleans are still texts. */
  input: JsonObject;
}

/** Values of an answer; a Date is written as the protocol writes times. */
export type Answer = string | number | boolean | Date | Answer[] | { [key: string]: Answer | undefined };

/** One of the protocols. */
export interface Wire {
  handles(request: ReceiverRequest): boolean;
  read(request: ReceiverRequest, limits: ReceiverLimits): Promise<Call>;
  answer(operation: string, value: Answer): ReceiverAnswer;
  refuse(error: HttpError): ReceiverAnswer;
}

const service = 'GraniteServiceVersion20100801';
const mostBytes = 1_000_000;

export const badRequest = (message: string) => new HttpError(400, message, 'InvalidParameterValueException');

/** The name of an error in the Query protocol, which SDKs of other protocols are told beside it. */
function queryCode({ code = 'InternalFailure' }: HttpError): string {
  if (code === 'MissingRequiredParameterException') return 'MissingParameter';
  return code.replace(/Exception$/, '');
}

function sent(status: number, contentType: string, body: string | Uint8Array, more = {}): ReceiverAnswer {
  return { status, headers: { 'content-type': contentType, 'x-amzn-requestid': randomUUID(), ...more }, body };
}

function queryError(error: HttpError): Record<string, string> {
  return { 'x-amzn-query-error': `${queryCode(error)};${error.status < 500 ? 'Sender' : 'Receiver'}` };
}

/** @returns the value with every Date as `write` writes it, and absent members left out. */
function written(value: Answer, write: (date: Date) => unknown): unknown {
  if (value instanceof Date) return write(value);
  if (Array.isArray(value)) return value.map((each) => written(each, write));
  if (typeof value !== 'object') return value;
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(members.map(([key, each]) => [key, written(each as Answer, write)]));
}

const operationPath = new RegExp(`^/service/${service}/operation/(\\w+)$`);
const cborType = { 'smithy-protocol': 'rpc-v2-cbor' };

/** Smithy RPC v2 CBOR, which current SDKs speak. Source: smithy.io, "Smithy RPC v2 CBOR protocol". */
const rpcV2Cbor: Wire = {
  handles: ({ path }) => operationPath.test(path),
  async read(request) {
    const body = await request.body(mostBytes);
    let input: unknown;
    try {
      input = body.length === 0 ? {} : cbor.deserialize(body);
    } catch {
      throw new HttpError(400, 'The body is not valid CBOR.', 'SerializationException');
    }
    if (!isObject(input)) throw new HttpError(400, 'The input is not a map.', 'SerializationException');
    return { operation: operationPath.exec(request.path)?.[1] ?? '', input };
  },
  answer: (_, value) => sent(200, 'application/cbor', cbor.serialize(written(value, dateToTag)), cborType),
  refuse(error) {
    const body = { __type: `com.amazonaws.cloudwatch#${error.code ?? 'InternalServiceFault'}`, message: error.message };
    return sent(error.status, 'application/cbor', cbor.serialize(body), { ...cborType, ...queryError(error) });
  },
};

const jsonType = 'application/x-amz-json-1.0';

/** AWS JSON 1.0; times are epoch seconds. */
const json: Wire = {
  handles: ({ headers }) => String(headers['x-amz-target'] ?? '').startsWith(`${service}.`),
  async read(request, limits) {
    const input = parseJson(await request.body(mostBytes), limits);
    if (!isObject(input)) throw new HttpError(400, 'The input is not a JSON object.', 'SerializationException');
    return { operation: String(request.headers['x-amz-target']).slice(service.length + 1), input };
  },
  answer: (_, value) => sent(200, jsonType, JSON.stringify(written(value, (date) => date.getTime() / 1000))),
  refuse(error) {
    const body = { __type: error.code ?? 'InternalServiceFault', message: error.message };
    return sent(error.status, jsonType, JSON.stringify(body), queryError(error));
  },
};

const xmlns = 'http://monitoring.amazonaws.com/doc/2010-08-01/';
const mostParameters = 10_000;

/** The Query protocol, form in and XML out, which older SDKs and CLIs speak. */
const query: Wire = {
  handles: ({ path, headers }) => path === '/' && mediaType(headers) === 'application/x-www-form-urlencoded',
  async read(request) {
    const parameters = [...new URLSearchParams((await request.body(mostBytes)).toString())];
    if (parameters.length > mostParameters) throw badRequest(`More than ${mostParameters} parameters.`);
    const tree: JsonObject = Object.create(null);
    for (const [name, value] of parameters) {
      const steps = name.split('.');
      if (steps.length > 20) throw badRequest('A parameter nests deeper than 20 levels.');
      let at = tree;
      for (const step of steps.slice(0, -1)) {
        const inner: JsonObject = isObject(at[step]) ? at[step] : Object.create(null);
        at[step] = inner;
        at = inner;
      }
      at[steps.at(-1) ?? ''] = value;
    }
    const { Action: operation, Version: version, ...input } = tree;
    if (version !== '2010-08-01')
      throw new HttpError(400, `No service here has the version ${String(version)}.`, 'InvalidActionException');
    return { operation: String(operation), input: listed(input) as JsonObject };
  },
  answer(operation, value) {
    const result = xml(written(value, (date) => date.toISOString()));
    const metadata = `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`;
    const body = `<${operation}Result>${result}</${operation}Result>${metadata}`;
    return sent(200, 'text/xml', `<${operation}Response xmlns="${xmlns}">${body}</${operation}Response>`);
  },
  refuse(error) {
    const type = error.status < 500 ? 'Sender' : 'Receiver';
    const body = xml({
      Error: { Type: type, Code: queryCode(error), Message: error.message },
      RequestId: randomUUID(),
    });
    return sent(error.status, 'text/xml', `<ErrorResponse xmlns="${xmlns}">${body}</ErrorResponse>`);
  },
};

/** `{ member: { 1: a, 2: b } }` is the list [a, b]. */
function listed(value: unknown): unknown {
  if (!isObject(value)) return value;
  if (isObject(value.member)) {
    const members = Object.entries(value.member).sort(([one], [other]) => Number(one) - Number(other));
    return members.map(([, each]) => listed(each));
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, listed(each)]));
}

function xml(value: unknown): string {
  if (Array.isArray(value)) return value.map((each) => `<member>${xml(each)}</member>`).join('');
  if (isObject(value))
    return Object.entries(value)
      .map(([key, each]) => xmlEntry(key, each))
      .join('');
  return String(value).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** A map's keys are not element names: percentiles are the one map of the answers. */
function xmlEntry(key: string, value: unknown): string {
  if (key !== 'ExtendedStatistics' || !isObject(value)) return `<${key}>${xml(value)}</${key}>`;
  const entries = Object.entries(value).map(([name, each]) => `<entry>${xml({ key: name, value: each })}</entry>`);
  return `<${key}>${entries.join('')}</${key}>`;
}

export const wires: readonly Wire[] = [rpcV2Cbor, json, query];
