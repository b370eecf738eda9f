/** An answer to the client, ready to be written. */
export interface GatewayAnswer {
  status: number;
  /** In order; a name may come more than once. */
  headers: [name: string, value: string][];
  body: Buffer;
}

/**
 * @returns the first media type of an Accept or Content-Type header, without its parameters, in
 * lower case.
 */
export function firstMediaType(header: string | undefined): string | undefined {
  return header?.split(',', 1)[0]?.split(';', 1)[0]?.trim().toLowerCase() || undefined;
}

/**
 * @returns whether `binaryMediaTypes` of an API covers a media type; `*` stands for a whole type or
 * subtype.
 */
export function isBinaryMediaType(binaryMediaTypes: string[], mediaType: string | undefined): boolean {
  const [type, subtype] = (mediaType ?? '').split('/');
  return binaryMediaTypes.some((entry) => {
    const [wantedType, wantedSubtype] = entry.toLowerCase().split('/');
    if (wantedType === '*' && wantedSubtype === '*') return true;
    return wantedType === type && (wantedSubtype === '*' || wantedSubtype === subtype);
  });
}
