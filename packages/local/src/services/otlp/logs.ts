import { toJsonText } from '../../receiver/json.ts';
import type { LogRecord } from '../../trace/records.ts';
import {
  attributes,
  attributeValue,
  droppedAttributes,
  identifier,
  latestNanoseconds,
  milliseconds,
} from './attributes.ts';
import { type BatchContext, scopeOf } from './context.ts';
import type { SignalShape } from './decode.ts';
import { ExportLogsServiceRequestSchema } from './generated/opentelemetry/proto/collector/logs/v1/logs_service_pb.js';
import { LogRecordSchema, type LogRecord as OtlpLogRecord } from './generated/opentelemetry/proto/logs/v1/logs_pb.js';

export const logs: SignalShape<typeof ExportLogsServiceRequestSchema, typeof LogRecordSchema> = {
  request: ExportLogsServiceRequestSchema,
  item: LogRecordSchema,
  keys: ['resourceLogs', 'scopeLogs', 'logRecords'],
  batches: (request) =>
    request.resourceLogs.flatMap((inResource, i) =>
      inResource.scopeLogs.map((inScope, j) => ({
        resource: inResource.resource,
        resourceSchemaUrl: inResource.schemaUrl,
        scope: inScope.scope,
        schemaUrl: inScope.schemaUrl,
        items: inScope.logRecords,
        place: `resourceLogs[${i}].scopeLogs[${j}].logRecords`,
      })),
    ),
};

/** Each level takes four severity numbers, from 1. */
const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/**
 * @returns the record as it is kept, or the reason why it cannot be. A record whose ids are
 *   invalid is kept without them, as the protocol asks of receivers.
 */
export function logRecord(log: OtlpLogRecord, shared: BatchContext): LogRecord | string {
  if (log.timeUnixNano > latestNanoseconds) return 'time is negative or no number';
  if (log.observedTimeUnixNano > latestNanoseconds) return 'observed time is negative or no number';
  const time = log.timeUnixNano || log.observedTimeUnixNano;
  const body = attributeValue(log.body);
  const kept = attributes(log.attributes, shared.maximumAttributes);
  const record: LogRecord = {
    source: 'otlp',
    timeMilliseconds: time === 0n ? Date.now() : milliseconds(time),
    // The resource names where a Lambda function's lines go; anything else is found under its
    // service.
    logGroup: firstText(shared.resource['aws.log.group.names']) ?? shared.serviceName,
    logStream:
      firstText(shared.resource['aws.log.stream.names']) ?? firstText(shared.resource['service.instance.id']) ?? '',
    message: typeof body === 'string' ? body : body === null ? log.eventName : toJsonText(body),
    attributes: kept,
    serviceName: shared.serviceName,
    resource: shared.resource,
    ...scopeOf(shared),
  };
  const traceId = identifier(log.traceId, 16);
  const spanId = identifier(log.spanId, 8);
  if (traceId) record.traceId = traceId;
  if (traceId && spanId) record.spanId = spanId;
  const level = log.severityText.toUpperCase() || levels[Math.floor((log.severityNumber - 1) / 4)];
  if (level) record.level = level;
  const requestId = firstText(kept['faas.invocation_id']);
  if (requestId) record.requestId = requestId;
  const functionName = firstText(shared.resource['faas.name']);
  if (functionName) record.functionName = functionName;
  if (typeof body !== 'string' && body !== null) record.body = body;
  if (log.timeUnixNano) record.timeNanoseconds = log.timeUnixNano;
  if (log.observedTimeUnixNano) record.observedNanoseconds = log.observedTimeUnixNano;
  if (log.severityNumber) record.severityNumber = log.severityNumber;
  if (log.eventName) record.eventName = log.eventName;
  if (log.flags) record.flags = log.flags;
  const missing = droppedAttributes(log.attributes, log.droppedAttributesCount, shared.maximumAttributes);
  if (missing) record.droppedAttributes = missing;
  return record;
}

function firstText(value: unknown): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' && first !== '' ? first : undefined;
}
