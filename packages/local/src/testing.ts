/**
 * The parts that tests of other packages may use: the platform, the receivers and the store,
 * without Serverless.
 */
export { bundleHandlers } from './bundle/bundle.ts';
export { createLambdaPlatform } from './lambda/index.ts';
export type { InvokeResult } from './lambda/invocation/types.ts';
export { defaultLimits, type Receiver } from './receiver/receiver.ts';
export { type Receivers, startReceivers } from './receiver/server.ts';
export type { LocalFunction, LocalService } from './service/model.ts';
export { runSeed } from './service/scripts.ts';
export { type LocalDynamoDb, startDynamoDb } from './services/dynamodb/index.ts';
export { knownReceivers, receiversWith } from './services/index.ts';
export { otlpReceiver } from './services/otlp/index.ts';
export { openStore, type Store } from './store/index.ts';
export type { LogRecord, SegmentDocument, SpanRecord, TelemetrySink } from './trace/records.ts';
export type { Trace, TraceNode } from './trace/trace.ts';
export { newRoot, newSegmentId } from './trace/trace-id.ts';
