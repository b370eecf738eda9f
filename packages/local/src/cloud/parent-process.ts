import { readFileSync } from 'node:fs';
import { config } from '../config.ts';

const pollMilliseconds = 250;

/**
 * Calls `ended` once when the npm (yarn, pnpm) that started this process is gone. npm passes
 * SIGTERM to the shell that it runs a script in, not to what runs in that shell, and SIGKILL
 * reaches npm alone: either way this process would go on, with its ports, and nobody to end it.
 * Without npm it does nothing: who starts a process of his own with `nohup` means it to outlive
 * him.
 */
export function whenStarterEnds(ended: () => void): void {
  if (!config.isStartedByNpm()) return;
  const first = starters();
  const timer = setInterval(() => {
    if (starters() === first) return;
    clearInterval(timer);
    ended();
  }, pollMilliseconds);
  timer.unref();
}

/**
 * @returns the ids of the parent and, where that is the shell of a script, of the parent's parent:
 * an orphan gets another one.
 */
function starters(): string {
  const parent = process.ppid;
  const shell = /^\d+ \((?:ba|da|a|z|k)?sh\) \S (\d+)/.exec(processStatus(parent));
  return shell ? `${parent} ${shell[1]}` : String(parent);
}

/**
 * Linux alone has /proc. Elsewhere the shell of a script is bash or zsh, which become the one
 * command that they are given.
 */
function processStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}
