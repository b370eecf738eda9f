import type { JwtPayload } from 'aws-jwt-verify/jwt-model';

/** `Fri Oct 16 16:45:46 UTC 2020`, as a REST API writes `exp` and `iat`. */
function javaDate(seconds: number): string {
  const [weekday = '', day, month, year, time] = new Date(seconds * 1000).toUTCString().split(' ');
  return `${weekday.replace(',', '')} ${month} ${day} ${time} UTC ${year}`;
}

/**
 * @returns the claims of a token as a function finds them: every value is text, lists in the way of
 * the kind of API.
 */
export function claimTexts(claims: JwtPayload, api: 'rest' | 'http'): Record<string, string> {
  const text = (name: string, value: unknown): string => {
    if (Array.isArray(value)) return api === 'rest' ? value.join(',') : `[${value.join(' ')}]`;
    if (api === 'rest' && (name === 'exp' || name === 'iat')) return javaDate(Number(value));
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, text(name, value)]));
}
