import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';

/**
 * How a process ended, in the words of Lambda: `exit status 1`, `signal: killed`; undefined for
 * exit status 0.
 */
export type Ending = { reason: string | undefined };

export interface RunningProcess {
  pid: number;
  ended: Promise<Ending>;
  signal(signal: NodeJS.Signals): void;
}

export interface ProcessSetup {
  command: string;
  arguments: string[];
  workingDirectory: string;
  environment: Record<string, string>;
  /**
   * Gets each stream's chunks, and undefined at its end. The third is descriptor 3 of the process.
   */
  output: Record<'stdout' | 'stderr' | 'frames', (chunk: Buffer | undefined) => void>;
}

/** Signals whose names differ from Lambda's words for them. */
const signalWords: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGABRT: 'aborted',
  SIGSEGV: 'segmentation fault',
  SIGBUS: 'bus error',
  SIGINT: 'interrupt',
  SIGHUP: 'hangup',
  SIGILL: 'illegal instruction',
};

/**
 * Starts processes in groups of their own, so that what they start ends with them, and so that
 * nothing of it is left when this process ends in whatever way: a shell at the other end of a pipe
 * waits for the pipe to close, and then kills the groups that are still there. A handler in an
 * endless loop could not watch over itself, and Node has no way to ask the kernel for a signal at
 * the parent's death.
 */
export class ProcessGroups {
  #guardian: ChildProcess | undefined;

  /** @throws where the command cannot be run (the error has `code`, `ENOENT` or `EACCES`). */
  async start(setup: ProcessSetup): Promise<RunningProcess> {
    const child = spawn(setup.command, setup.arguments, {
      cwd: setup.workingDirectory,
      env: setup.environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    const pid = child.pid;
    if (pid === undefined) throw new Error(`${setup.command} did not start`);
    this.#tell(`+ ${pid}`);
    const streams = [
      drain(child.stdout, setup.output.stdout),
      drain(child.stderr, setup.output.stderr),
      drain(child.stdio[3] as Readable, setup.output.frames),
    ];
    const ended = new Promise<Ending>((resolve) => {
      child.once('exit', async (code, signal) => {
        // What the process has started dies with it; only then do the streams that they share come
        // to their end.
        killGroup(pid, 'SIGKILL');
        // A process that has left the group may hold the streams open for ever.
        const patience = setTimeout(() => {
          for (const stream of child.stdio) stream?.destroy();
        }, 1000);
        await Promise.all(streams);
        clearTimeout(patience);
        this.#tell(`- ${pid}`);
        resolve({
          reason: signal ? `signal: ${signalWords[signal] ?? signal}` : code ? `exit status ${code}` : undefined,
        });
      });
    });
    return { pid, ended, signal: (signal) => killGroup(pid, signal) };
  }

  /** Ends the guardian. Every process must have ended before. */
  async close(): Promise<void> {
    const guardian = this.#guardian;
    if (!guardian) return;
    this.#guardian = undefined;
    if (guardian.pid === undefined || guardian.exitCode !== null) return;
    guardian.ref();
    await new Promise<void>((resolve) => {
      guardian.once('exit', () => resolve());
      guardian.stdin?.end();
    });
  }

  #tell(line: string): void {
    this.#guardian ??= startGuardian();
    this.#guardian.stdin?.write(`${line}\n`);
  }
}

const guardianScript = `
groups=
while read -r sign group; do
  if [ "$sign" = + ]; then groups="$groups $group"; continue; fi
  left=
  for one in $groups; do [ "$one" = "$group" ] || left="$left $one"; done
  groups=$left
done
for one in $groups; do kill -9 "-$one" 2>/dev/null; done
`;

function startGuardian(): ChildProcess {
  const guardian = spawn('/bin/sh', ['-c', guardianScript], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  });
  // Without a shell nothing watches over this process's death; stop() still ends everything.
  guardian.on('error', () => {});
  guardian.stdin?.on('error', () => {});
  guardian.unref();
  return guardian;
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}

function drain(stream: Readable | null, take: (chunk: Buffer | undefined) => void): Promise<void> {
  return new Promise((resolve) => {
    if (!stream) return resolve();
    stream.on('data', take);
    stream.on('error', () => {});
    stream.once('close', () => {
      take(undefined);
      resolve();
    });
  });
}

export interface Memory {
  /** Bytes that count against the function's limit: see `readMemory`. */
  counted: number;
  /** The most that was resident, bytes: what Lambda calls Max Memory Used. */
  peak: number;
}

/**
 * Reads how much memory a process and its descendants have, from Linux's /proc.
 *
 * Anonymous and shared memory count against the limit (RssAnon, RssShmem): heap, buffers,
 * stacks. The pages of files (RssFile: some 36 MB of Node's own program, shared by all
 * environments) do not count, as the kernel can drop them at any time and so kills nothing for them
 * on Lambda either; with them a function of 128 MB would begin with a third of its memory gone.
 * @returns undefined where there is no /proc, or the process has ended: then only V8's own limit
 *   holds.
 */
export async function readMemory(pid: number): Promise<Memory | undefined> {
  const total: Memory = { counted: 0, peak: 0 };
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [status, children] = await Promise.all([
      readFile(`/proc/${next}/status`, 'utf8').catch(() => ''),
      readFile(`/proc/${next}/task/${next}/children`, 'utf8').catch(() => ''),
    ]);
    total.counted += kilobytes(status, 'RssAnon') + kilobytes(status, 'RssShmem');
    total.peak += kilobytes(status, 'VmHWM');
    pending.push(...children.split(' ').filter(Boolean).map(Number));
  }
  if (total.peak === 0) return undefined;
  return { counted: total.counted * 1024, peak: total.peak * 1024 };
}

function kilobytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}
