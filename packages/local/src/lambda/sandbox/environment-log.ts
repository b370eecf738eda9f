import type { TelemetrySink } from '../../trace/records.ts';
import { traceIdOf } from '../../trace/trace-id.ts';
import type { TelemetrySubscriptions } from '../apis/telemetry-subscriptions.ts';
import type { Invocation } from '../invocation/invocation.ts';
import { eventDocument, type PlatformEvent } from '../invocation/platform-events.ts';
import type { OutputRecord } from './output.ts';

export interface EnvironmentLogSetup {
  sink: TelemetrySink;
  functionName: string;
  logGroup: string;
  logStream: string;
  json: boolean;
  /** The lowest levels that the log takes in JSON format; absent: all. */
  levels: { application: string | undefined; system: string | undefined };
}

const knownLevels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/**
 * The log stream of one environment: what its processes write and what the platform says of it,
 * each line with the invocation that it belongs to.
 */
export class EnvironmentLog {
  readonly #setup: EnvironmentLogSetup;
  /**
   * The invocation that the environment works on; what is written during init belongs to the one
   * that it was started for.
   */
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
    const message = this.#setup.json ? this.#takes(event) && JSON.stringify(document) : event.text;
    if (message) this.#write(message, time, undefined);
  }

  /**
   * A line of the platform that is not an event: why a process ended. In JSON format it is JSON as the
   * function's own lines are.
   */
  line(message: string, level: string): void {
    const time = Date.now();
    const timestamp = new Date(time).toISOString();
    const requestId = this.invocation?.requestId;
    this.#write(this.#setup.json ? JSON.stringify({ timestamp, level, requestId, message }) : message, time, level);
  }

  output(source: 'function' | 'extension', record: OutputRecord): void {
    const time = record.timeMilliseconds ?? Date.now();
    this.subscriptions?.add(source, { time: new Date(time).toISOString(), type: source, record: record.message });
    // Lambda filters by the level that a line states, whoever wrote it. Subscribers of the
    // Telemetry API get every line.
    if (source === 'function' && this.#isBelow(record.level, this.#setup.levels.application)) return;
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

  #takes({ failed, inJsonLog }: PlatformEvent): boolean {
    const { system } = this.#setup.levels;
    if (system === 'DEBUG') return true;
    return system === 'WARN' ? failed : inJsonLog;
  }

  #isBelow(level: string | undefined, lowest: string | undefined): boolean {
    if (!this.#setup.json || level === undefined || lowest === undefined) return false;
    const rank = knownLevels.indexOf(level);
    return rank >= 0 && rank < knownLevels.indexOf(lowest);
  }

  #write(message: string, timeMilliseconds: number, level: string | undefined): void {
    const invocation = this.invocation;
    invocation?.lines?.push(message);
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
