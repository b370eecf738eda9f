import type { Attributes } from '@opentelemetry/api-1.9';
import type { ActiveSpan, SpanSubsegment } from '../context/request-context.ts';
import { isSecretKey, redacted } from '../redaction/patterns.ts';
import { type AnnotationValue, type Plain, sanitize, toScalar } from '../redaction/sanitize.ts';

/*
 * Every value on a span is on both of its halves, and only this file writes them:
 *
 *   OpenTelemetry   an attribute `key`
 *   X-Ray           an annotation whose key is `key` with `_` for every character but A-Z, a-z, 0-9 and `_`, if it was annotated;
 *                   else metadata `key` of the namespace `default`, letter by letter. So does a second key that would get the same
 *                   annotation as one before it.
 *
 * The value is the same, except that OpenTelemetry has JSON text for objects, arrays and null. The last write counts.
 */

/**
 * Writes what telemetry itself knows of a call. X-Ray does not index it: it indexes 50 annotations
 * a trace, and those are the service's own. AWS's exporter for OpenTelemetry's collector does the
 * same with attributes.
 * @param attributes are not redacted, so they must not be secret; undefined values are left out.
 */
export function setAttributes({ otel, subsegment }: ActiveSpan, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    otel.setAttribute(key, value);
    if (subsegment) addMetadata(subsegment, key, value);
  }
}

/**
 * Writes a value that X-Ray indexes; anything but a string, finite number or boolean becomes text.
 */
export function setAnnotation({ otel, subsegment }: ActiveSpan, key: string, value: AnnotationValue): void {
  const name = validKey(key);
  const scalar = isSecretKey(key) ? redacted : toScalar(value);
  otel.setAttribute(name, scalar);
  if (subsegment) addAnnotation(subsegment, name, scalar);
}

/** Writes any value, redacted and bounded. */
export function setMetadata({ otel, subsegment }: ActiveSpan, key: string, value: unknown, namespace?: string): void {
  // With its key, which may name a secret or be one.
  for (const [plainKey, plain] of Object.entries(sanitize({ [key]: value }) as Record<string, Plain>)) {
    const name = validKey(plainKey);
    otel.setAttribute(name, typeof plain === 'object' ? JSON.stringify(plain) : plain);
    // X-Ray's SDK writes null as an empty string.
    if (subsegment) addMetadata(subsegment, name, plain ?? 'null', namespace);
  }
}

/** Members that X-Ray's SDK keeps on a subsegment and omits from its types. */
interface Members {
  annotations?: Record<string, unknown>;
  metadata?: { default?: Record<string, unknown> };
}

/** By annotation, the key that has become it. */
const annotationKeys = new WeakMap<SpanSubsegment, Map<string, string>>();

function addAnnotation(subsegment: SpanSubsegment & Members, key: string, value: AnnotationValue): void {
  const annotation = toAnnotationKey(key);
  const keys = annotationKeys.get(subsegment) ?? new Map<string, string>();
  // It would set the object's prototype.
  if (annotation === '__proto__' || (keys.get(annotation) ?? key) !== key) {
    subsegment.writeMetadata(key, value);
    return;
  }
  annotationKeys.set(subsegment, keys.set(annotation, key));
  subsegment.writeAnnotation(annotation, value);
  if (subsegment.metadata?.default) delete subsegment.metadata.default[key];
}

function addMetadata(subsegment: SpanSubsegment & Members, key: string, value: unknown, namespace?: string): void {
  subsegment.writeMetadata(key, value, namespace);
  const { annotations } = subsegment;
  if (!annotations) return;
  const annotation = toAnnotationKey(key);
  const keys = annotationKeys.get(subsegment);
  if (keys?.get(annotation) !== key) return;
  keys.delete(annotation);
  delete annotations[annotation];
}

function toAnnotationKey(key: string): string {
  return key.replace(/[^A-Za-z0-9_]/g, '_');
}

/** OpenTelemetry rejects an empty key, and `__proto__` would set an object's prototype. */
function validKey(key: string): string {
  return key === '__proto__' ? '__proto___' : key || '_';
}
