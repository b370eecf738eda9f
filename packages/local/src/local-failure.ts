/**
 * Something that the person at the terminal can put right: shown as one sentence, without a stack.
 */
export class LocalFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LocalFailure';
  }
}

/** A port that something else has. `name` is the key in `custom.local.ports`. */
export class PortInUse extends LocalFailure {
  constructor(name: string, port: number) {
    super(
      `Port ${port} (${name}) is in use. End what listens there, or choose another by "sls local --${name}-port <port>" or custom.local.ports.${name}.`,
    );
    this.name = 'PortInUse';
  }
}
