/** @returns a command for a POSIX shell that sends the same request. */
export function curlOf(
  api: string,
  { method, path, headers, body }: { method: string; path: string; headers: Record<string, string>; body: string },
): string {
  return [
    'curl',
    ...(method === 'GET' ? [] : ['-X', method]),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', quoted(`${name}: ${value}`)]),
    ...(body === '' ? [] : ['--data-raw', quoted(body)]),
    quoted(api + path),
  ].join(' ');
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
