import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ForwardReport } from '../../src/receiver/forward-report.ts';

describe('what is said of a real service', () => {
  let said: string[];
  let report: ForwardReport;

  beforeEach(() => {
    vi.useFakeTimers();
    said = [];
    report = new ForwardReport('otlp (api.example.test)', (sentence) => said.push(sentence));
  });
  afterEach(() => void vi.useRealTimers());

  it('is nothing while it takes what is sent', () => {
    for (let times = 0; times < 10; times += 1) report.arrived();

    expect(said).toEqual([]);
  });

  it('is one sentence however often it fails, and one when it does no more', () => {
    for (let times = 0; times < 10; times += 1) report.failed('it answered 503');
    vi.advanceTimersByTime(60_000);
    report.arrived();

    expect(said).toEqual([
      'otlp (api.example.test) does not take what is sent on to it: it answered 503. Here nothing is lost.',
      'otlp (api.example.test) takes what is sent on to it again; 10 requests did not arrive there.',
    ]);
  });

  it('is at most one sentence in 5 s when the service comes and goes, and then says the latest state', () => {
    for (let times = 0; times < 100; times += 1) {
      report.failed('it answered 503');
      report.arrived();
    }
    expect(said).toHaveLength(1);
    vi.advanceTimersByTime(5_000);

    expect(said.slice(1)).toEqual([
      'otlp (api.example.test) takes what is sent on to it again; 100 requests did not arrive there.',
    ]);
    vi.advanceTimersByTime(60_000);
    expect(said).toHaveLength(2);
  });

  it('is nothing any more when it is stopped', () => {
    report.failed('it answered 503');
    report.arrived();
    report.stop();
    vi.advanceTimersByTime(60_000);

    expect(said).toHaveLength(1);
  });
});
