import { logger } from '@throughline/telemetry';
import { describe, expect, it, vi } from 'vitest';
import '../../src/telemetry.ts';

describe('a log line of this service', () => {
  it('contains no text that people wrote, nor a word of it in a table key', () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const lines = vi.spyOn((logger as unknown as { console: Console }).console, 'info').mockImplementation(() => {});
    logger.info('cannot query WORD#sesame#1', { term: 'open', bio: 'a thief', message: 'sesame seeds', handle: 'ali' });
    const [line] = lines.mock.calls.flat();
    write.mockRestore();

    expect(line).toContain('"handle":"ali"');
    expect(line).not.toMatch(/sesame#|open|thief|seeds/);
  });
});
