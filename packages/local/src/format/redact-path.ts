/** Parts of a path that a terminal, its scrollback and a shared screen should not show. */
const secrets = [
  // E-mail addresses, also with an encoded @.
  /[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+/gi,
  // JSON web tokens.
  /\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?/g,
  // Keys with a prefix that names their kind: AKIA…, sk_live_…, ghp_…, xoxb-….
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|\b(?:sk|pk|rk)_(?:live|test)_\w{8,}|\bgh[opsu]_\w{20,}|\bxox[abp]-[\w-]{10,}/g,
  // Long random text; a UUID, which names a resource, has dashes at shorter distances.
  /(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])\w{32,}(?![\w-])/g,
];

/** A parameter whose name says that its value is secret: `;token=…`, `?api_key=…`. */
const named = /((?:token|secret|password|passwd|api[_-]?key|access[_-]?key|auth|signature|code)=)[^&;/?#]+/gi;

/**
 * @returns a request's path as the terminal may show it: secrets and e-mail addresses as
 * `[redacted]`.
 */
export function redactPath(path: string): string {
  return secrets.reduce((text, pattern) => text.replace(pattern, '[redacted]'), path.replace(named, '$1[redacted]'));
}
