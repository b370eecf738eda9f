import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Backend, BatchQueue } from '../src/export/batch-queue.ts';
import { decide, type TailSamplingOptions } from './tail-sampling.ts';

/** The spans of one local root: what one invocation adds to a trace. */
interface Tree {
  root: Span;
  open: Set<Span>;
  ended: ReadableSpan[];
  /** Absent until the root has ended. `null`: it is not kept. */
  sampleRate?: number | null;
}

/** Spans that are held for a root that never ends are given up, oldest first. */
const heldSpans = 5_000;
/**
 * Decisions that are remembered, for what a handler has left running and begins when its root has
 * ended.
 */
const rememberedDecisions = 100;

/**
 * Holds the spans of a request until its root ends, decides whether they are kept, and queues them
 * as one batch.
 */
export class TailProcessor implements SpanProcessor {
  readonly #trees = new Map<string, Tree>();
  /** By trace id. */
  readonly #decisions = new Map<string, number | null>();
  readonly #queue: BatchQueue;
  readonly #backend: Backend;
  readonly #sampling: TailSamplingOptions;
  #held = 0;

  constructor(queue: BatchQueue, backend: Backend, sampling: TailSamplingOptions) {
    this.#queue = queue;
    this.#backend = backend;
    this.#sampling = sampling;
  }

  onStart(span: Span): void {
    const { spanId } = span.spanContext();
    const parent = span.parentSpanContext;
    const isLocal = parent && !parent.isRemote;
    const tree = isLocal ? this.#trees.get(parent.spanId) : undefined;
    const own: Tree = tree ?? { root: span, open: new Set(), ended: [] };
    const decision = !tree && isLocal ? this.#decisions.get(parent.traceId) : undefined;
    if (decision !== undefined) own.sampleRate = decision;
    own.open.add(span);
    this.#trees.set(spanId, own);
    this.#held += 1;
    if (this.#held > heldSpans) this.#giveUpOldest();
  }

  onEnd(span: ReadableSpan): void {
    const { spanId } = span.spanContext();
    const tree = this.#trees.get(spanId);
    if (!tree) return;
    tree.open.delete(span as Span);
    tree.ended.push(span);
    if (span === (tree.root as ReadableSpan) && tree.sampleRate === undefined) {
      tree.sampleRate = decide(span, tree.ended, this.#sampling) ?? null;
      this.#remember(span.spanContext().traceId, tree.sampleRate);
    }
    if (tree.sampleRate !== undefined) this.#release(tree);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  /** Sends what has ended; what is still open follows when it ends. */
  #release(tree: Tree): void {
    const spans = tree.ended;
    tree.ended = [];
    const rate = tree.sampleRate;
    // Honeycomb reads the rate from this attribute; one event then counts for so many.
    if (rate) for (const span of spans) (span.attributes as Attributes).SampleRate = rate;
    if (rate && spans.length > 0) {
      this.#queue.add({ backend: this.#backend, payload: spans, count: spans.length, size: sizeOf(spans) });
    }
    for (const span of spans) this.#trees.delete(span.spanContext().spanId);
    this.#held -= spans.length;
  }

  #remember(traceId: string, decision: number | null): void {
    this.#decisions.delete(traceId);
    this.#decisions.set(traceId, decision);
    const [oldest] = this.#decisions.keys();
    if (this.#decisions.size > rememberedDecisions && oldest !== undefined) this.#decisions.delete(oldest);
  }

  #giveUpOldest(): void {
    const oldest = this.#trees.values().next().value;
    if (!oldest) return;
    this.#queue.countLoss(this.#backend.unit, oldest.open.size + oldest.ended.length);
    this.#remove(oldest);
  }

  #remove(tree: Tree): void {
    for (const span of [...tree.ended, ...tree.open]) {
      if (this.#trees.delete(span.spanContext().spanId)) this.#held -= 1;
    }
  }
}

/** The characters of all texts that the spans carry, which is what can be much. */
function sizeOf(spans: readonly ReadableSpan[]): number {
  let size = 0;
  for (const { attributes, events } of spans) {
    for (const set of [attributes, ...events.map((event) => event.attributes ?? {})]) {
      for (const value of Object.values(set)) if (typeof value === 'string') size += value.length;
    }
  }
  return size;
}
