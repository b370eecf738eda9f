/** The part of each that is used here; their packages bring no types of these files. */
declare module 'cls-hooked/context.js' {
  const library: { createNamespace(name: string): unknown };
  export default library;
}

declare module 'emitter-listener' {
  type Listener = (...args: unknown[]) => unknown;
  /** `attach` is called with each listener as it is added, `bind` as it is about to be called. */
  export default function wrapEmitter(
    emitter: object,
    attach: (listener: Listener | undefined) => void,
    bind: (listener: Listener) => Listener,
  ): void;
}
