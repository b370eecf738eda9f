import type { Attributes } from '@opentelemetry/api-1.9';
import type { Subsegment } from 'aws-xray-sdk-core';
import { type Plain, toPlain } from './plain.ts';
import { isSecretKey, redacted } from './redaction.ts';
import type { ActiveSpan } from './request.ts';

/*
 * What stands on a span stands on both of its halves, and this is the only place that writes it:
 *
 *   OpenTelemetry   an attribute `key`
 *   X-Ray           an annotation whose key is `key` with `_` for every character but A-Z, a-z, 0-9 and `_`, if it was annotated;
 *                   else metadata `key` of the namespace `default`, letter by letter. So does a second key that would get the same
 *                   annotation as one before it.
 *
 * The value is the same, but that metadata which is an object, an array or null is JSON text in OpenTelemetry. What is written last counts.
 */

/** A value that X-Ray can index and OpenTelemetry carries as it is. */
export type AnnotationValue = string | number | boolean;

/**
 * Writes what telemetry itself knows of a call. X-Ray does not index it: it indexes 50 annotations a trace, and those are the service's own.
 * AWS's exporter for OpenTelemetry's collector makes the same of attributes.
 * @param attributes as they are, so nothing secret; what is undefined is left out.
 */
export function setAttributes({ otel, subsegment }: ActiveSpan, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    otel.setAttribute(key, value);
    if (subsegment) addMetadata(subsegment, key, value);
  }
}

/** Writes a value that X-Ray indexes; what is neither a string, a finite number nor a boolean becomes text. */
export function setAnnotation({ otel, subsegment }: ActiveSpan, key: string, value: AnnotationValue): void {
  const name = validKey(key);
  const scalar = isSecretKey(key) ? redacted : toScalar(value);
  otel.setAttribute(name, scalar);
  if (subsegment) addAnnotation(subsegment, name, scalar);
}

/** Writes any value, redacted and bounded. */
export function setMetadata({ otel, subsegment }: ActiveSpan, key: string, value: unknown): void {
  // Together with its key, which may name a secret or be one.
  for (const [plainKey, plain] of Object.entries(toPlain({ [key]: value }) as Record<string, Plain>)) {
    const name = validKey(plainKey);
    otel.setAttribute(name, typeof plain === 'object' ? JSON.stringify(plain) : plain);
    // X-Ray's SDK makes an empty text of null.
    if (subsegment) addMetadata(subsegment, name, plain ?? 'null');
  }
}

/** @returns a value as both carry it: redacted, and what is no string, finite number or boolean as text. */
export function toScalar(value: unknown): AnnotationValue {
  const plain = toPlain(value);
  return typeof plain === 'object' ? JSON.stringify(plain) : plain;
}

/** What X-Ray's SDK keeps on a subsegment and does not name in its types. */
interface Members {
  annotations?: Record<string, unknown>;
  metadata?: { default?: Record<string, unknown> };
}

/** Which key has become which annotation. */
const annotationKeys = new WeakMap<Subsegment, Map<string, string>>();

function addAnnotation(subsegment: Subsegment & Members, key: string, value: AnnotationValue): void {
  const annotation = toAnnotationKey(key);
  const keys = annotationKeys.get(subsegment) ?? new Map<string, string>();
  // An object has no member of that name: it would be its prototype.
  if (annotation === '__proto__' || (keys.get(annotation) ?? key) !== key) {
    subsegment.addMetadata(key, value);
    return;
  }
  annotationKeys.set(subsegment, keys.set(annotation, key));
  subsegment.addAnnotation(annotation, value);
  if (subsegment.metadata?.default) delete subsegment.metadata.default[key];
}

function addMetadata(subsegment: Subsegment & Members, key: string, value: unknown): void {
  subsegment.addMetadata(key, value);
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

/** OpenTelemetry takes no empty key, and no object one that stands for its prototype. */
function validKey(key: string): string {
  return key === '__proto__' ? '__proto___' : key || '_';
}
