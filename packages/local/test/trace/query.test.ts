import { describe, expect, it } from 'vitest';
import { readQuery } from '../../src/trace/query.ts';

const read = (text: string) => readQuery(new URLSearchParams(text));

describe('readQuery', () => {
  it('takes the newest hundred when nothing is said', () => {
    expect(read('')).toEqual({ limit: 100 });
  });

  it('reads every parameter, times as milliseconds or ISO 8601', () => {
    expect(read('errors=true&slow=500&from=2026-11-22T00:00:00Z&to=1795363079592&limit=5')).toEqual({
      errors: true,
      slowMilliseconds: 500,
      from: Date.UTC(2026, 10, 22),
      to: 1795363079592,
      limit: 5,
    });
  });

  it('takes last as another word for limit', () => {
    expect(read('last=1')).toEqual({ limit: 1 });
  });

  it.each([
    ['limit=0', /"limit" is a whole number from 1 to 1000/],
    ['limit=1001', /"limit"/],
    ['last=x', /"last"/],
    ['slow=-1', /"slow"/],
    ['slow=1e999', /"slow"/],
    ['slow=', /"slow"/],
    ['slow=99999999999999999999999', /"slow" is a number of milliseconds from 0/],
    ['from=9999999999999999', /"from" is a time/],
    ['to=9007199254740993', /"to" is a time/],
    ['from=yesterday', /"from" is a time/],
    ['errors=perhaps', /"errors" is true or false/],
    ['limit=1&limit=2', /"limit" is given more than once/],
    ['status=500', /There is no parameter "status"/],
  ])('refuses %s and names it, instead of answering with other traces', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
