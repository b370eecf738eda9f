import { HttpError } from '../../../http/http-error.ts';
import type { LogReads } from '../../../store/log-events.ts';

export interface LogStream {
  name: string;
  createdMilliseconds: number;
  firstEventMilliseconds?: number;
  lastEventMilliseconds?: number;
  lastIngestionMilliseconds?: number;
  bytes: number;
}

export interface LogGroup {
  name: string;
  createdMilliseconds: number;
  streams: Map<string, LogStream>;
}

/** Far more than a local run makes, and few enough to be held. */
const maximumGroups = 1_000;
const maximumStreams = 10_000;

/** The log groups that were created, that the service declares, and that the store has lines of. */
export class LogGroups {
  readonly #groups = new Map<string, LogGroup>();
  readonly #reads: Pick<LogReads, 'logStreams'> | undefined;

  /** @param declared names of groups that the service's functions write to. */
  constructor(declared: readonly string[] = [], reads?: Pick<LogReads, 'logStreams'>) {
    this.#reads = reads;
    const now = Date.now();
    for (const name of declared) this.#groups.set(name, emptyGroup(name, now));
  }

  /** @throws HttpError ResourceAlreadyExistsException, LimitExceededException */
  async createGroup(name: string): Promise<void> {
    await this.#readStore();
    add(this.#groups, name, maximumGroups, 'group', emptyGroup(name, Date.now()));
  }

  /**
   * @throws HttpError ResourceNotFoundException, ResourceAlreadyExistsException,
   *   LimitExceededException
   */
  async createStream(groupName: string, name: string): Promise<void> {
    const { streams } = await this.current(groupName);
    add(streams, name, maximumStreams, 'stream', { name, createdMilliseconds: Date.now(), bytes: 0 });
  }

  /** @throws HttpError ResourceNotFoundException */
  async group(name: string): Promise<LogGroup> {
    if (!this.#groups.has(name)) await this.#readStore(name);
    const found = this.#groups.get(name);
    if (!found) throw new HttpError(400, 'The specified log group does not exist.', 'ResourceNotFoundException');
    return found;
  }

  /** The same, with its streams as they are now. */
  async current(name: string): Promise<LogGroup> {
    await this.#readStore(name);
    return this.group(name);
  }

  /** @throws HttpError ResourceNotFoundException */
  async stream(groupName: string, name: string): Promise<LogStream> {
    const { streams } = await this.group(groupName);
    if (!streams.has(name)) await this.#readStore(groupName);
    const found = streams.get(name);
    if (!found) throw new HttpError(400, 'The specified log stream does not exist.', 'ResourceNotFoundException');
    return found;
  }

  /** @returns all groups, by name. */
  async all(): Promise<LogGroup[]> {
    await this.#readStore();
    return [...this.#groups.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async #readStore(name?: string): Promise<void> {
    for (const { logGroup, logStream, first, last, bytes } of (await this.#reads?.logStreams(name)) ?? []) {
      const group = this.#groups.get(logGroup) ?? emptyGroup(logGroup, first);
      this.#groups.set(logGroup, group);
      const stream = group.streams.get(logStream) ?? { name: logStream, createdMilliseconds: first, bytes };
      group.streams.set(logStream, stream);
      stream.firstEventMilliseconds = first;
      stream.lastEventMilliseconds = last;
      stream.lastIngestionMilliseconds = Math.max(stream.lastIngestionMilliseconds ?? last, last);
      stream.bytes = bytes;
    }
  }
}

function emptyGroup(name: string, createdMilliseconds: number): LogGroup {
  return { name, createdMilliseconds, streams: new Map() };
}

function add<T>(to: Map<string, T>, name: string, maximum: number, what: string, made: T): void {
  if (to.has(name))
    throw new HttpError(400, `The specified log ${what} already exists`, 'ResourceAlreadyExistsException');
  if (to.size >= maximum)
    throw new HttpError(400, `There are ${maximum} log ${what}s here already.`, 'LimitExceededException');
  to.set(name, made);
}
