/**
 * The only reader of `process.env` in this package, but for `lambda/runtime/`, which runs inside a
 * function's process.
 */
export const config = {
  path: (): string => process.env.PATH ?? '',
  isStartedByNpm: (): boolean => Boolean(process.env.npm_lifecycle_event),
  honeycombApiKey: (): string => process.env.HONEYCOMB_API_KEY ?? '',
  honeycombApiUrl: (): string => process.env.HONEYCOMB_API_URL || 'https://api.honeycomb.io',
  /**
   * The X-Ray daemon that functions send to instead of the embedded one, such as `127.0.0.1:2002`.
   */
  xrayDaemonAddress: (): string | undefined => process.env.AWS_XRAY_DAEMON_ADDRESS || undefined,
  noColor: (): boolean => Boolean(process.env.NO_COLOR),
  /**
   * The export conditions that Node was started with (`--conditions`, `-C`), which bundles follow
   * too: a linked package that Node loads from its source is bundled from its source.
   */
  conditions: (): string[] => {
    const words = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
    return words.flatMap((word, place) => {
      const inline = /^(?:--conditions|-C)=(.+)$/.exec(word)?.[1];
      const next = word === '--conditions' || word === '-C' ? words[place + 1] : undefined;
      return inline ?? next ?? [];
    });
  },
};
