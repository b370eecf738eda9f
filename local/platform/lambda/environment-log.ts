import type { TelemetrySink } from '../../store/records.ts';
import { traceIdOf } from '../trace-context.ts';
import type { Invocation } from './invocation.ts';
import type { OutputRecord } from './output.ts';
import { eventDocument, type PlatformEvent } from './platform-events.ts';
import type { TelemetrySubscriptions } from './telemetry-subscriptions.ts';

export interface EnvironmentLogSetup {
  sink: TelemetrySink;
  functionName: string;
  logGroup: string;
  logStream: string;
  json: boolean;
}

/** The log stream of one environment: what its processes write and what the platform says of it, each line with the invocation that it belongs to. */
export class EnvironmentLog {
  readonly #setup: EnvironmentLogSetup;
  /** The invocation that the environment works on; what is written during init belongs to the one that it was started for. */
  invocation: Invocation | undefined;
  /** Those who have asked for telemetry. */
  subscriptions: TelemetrySubscriptions | undefined;

  constructor(setup: EnvironmentLogSetup) {
    this.#setup = setup;
  }

  platform(event: PlatformEvent): void {
    const time = Date.now();
    const document = eventDocument(event, time);
    this.subscriptions?.add('platform', document);
    const message = this.#setup.json ? event.inJsonLog && JSON.stringify(document) : event.text;
    if (message) this.#write(message, time, undefined);
  }

  /** A line of the platform that is no event: why a process ended. In JSON format it is JSON as the function's own lines are. */
  line(message: string, level: string): void {
    const time = Date.now();
    const timestamp = new Date(time).toISOString();
    const requestId = this.invocation?.requestId;
    this.#write(this.#setup.json ? JSON.stringify({ timestamp, level, requestId, message }) : message, time, level);
  }

  output(source: 'function' | 'extension', record: OutputRecord): void {
    const time = record.timeMilliseconds ?? Date.now();
    this.subscriptions?.add(source, { time: new Date(time).toISOString(), type: source, record: record.message });
    this.#write(record.message, time, record.level);
    if (record.cut) {
      this.#setup.sink.rejected('lambda-logs', 'a log record over 256 KB was cut', this.#setup.functionName);
    }
  }

  lost(bytes: number): void {
    this.#setup.sink.rejected(
      'lambda-logs',
      'bytes on the telemetry descriptor are no frame',
      `${this.#setup.functionName}: ${bytes} bytes`,
    );
  }

  #write(message: string, timeMilliseconds: number, level: string | undefined): void {
    const invocation = this.invocation;
    this.#setup.sink.log({
      source: 'function',
      timeMilliseconds,
      logGroup: this.#setup.logGroup,
      logStream: this.#setup.logStream,
      functionName: this.#setup.functionName,
      message,
      ...(level && { level }),
      ...(invocation && { requestId: invocation.requestId, traceId: traceIdOf(invocation.trace.root) }),
    });
  }
}
