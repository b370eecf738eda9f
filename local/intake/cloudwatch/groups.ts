import { IntakeError } from '../http.ts';

export interface LogStream {
  name: string;
  createdMilliseconds: number;
  firstEventMilliseconds?: number;
  lastEventMilliseconds?: number;
  lastIngestionMilliseconds?: number;
}

export interface LogGroup {
  name: string;
  createdMilliseconds: number;
  streams: Map<string, LogStream>;
}

/** The names that have been created; what was logged under them is the store's. */
export interface LogGroups {
  /** @throws IntakeError ResourceAlreadyExistsException, LimitExceededException */
  createGroup(name: string): void;
  /** @throws IntakeError ResourceNotFoundException, ResourceAlreadyExistsException, LimitExceededException */
  createStream(group: string, name: string): void;
  /** @throws IntakeError ResourceNotFoundException */
  group(name: string): LogGroup;
  /** @throws IntakeError ResourceNotFoundException */
  stream(group: string, name: string): LogStream;
  /** By name. */
  all(): LogGroup[];
}

/** Far more than a local run makes, and few enough to be held. */
const MAXIMUM_GROUPS = 1_000;
const MAXIMUM_STREAMS = 10_000;

/** @returns an empty set of log groups. */
export function createLogGroups(): LogGroups {
  const groups = new Map<string, LogGroup>();

  function group(name: string): LogGroup {
    const found = groups.get(name);
    if (!found) throw new IntakeError(400, 'The specified log group does not exist.', 'ResourceNotFoundException');
    return found;
  }

  function add<T>(to: Map<string, T>, name: string, maximum: number, what: string, made: T): void {
    if (to.has(name))
      throw new IntakeError(400, `The specified log ${what} already exists`, 'ResourceAlreadyExistsException');
    if (to.size >= maximum)
      throw new IntakeError(400, `There are ${maximum} log ${what}s here already.`, 'LimitExceededException');
    to.set(name, made);
  }

  return {
    createGroup: (name) =>
      add(groups, name, MAXIMUM_GROUPS, 'group', { name, createdMilliseconds: Date.now(), streams: new Map() }),
    createStream: (groupName, name) =>
      add(group(groupName).streams, name, MAXIMUM_STREAMS, 'stream', { name, createdMilliseconds: Date.now() }),
    group,
    stream(groupName, name) {
      const found = group(groupName).streams.get(name);
      if (!found) throw new IntakeError(400, 'The specified log stream does not exist.', 'ResourceNotFoundException');
      return found;
    },
    all: () => [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
