/** Something that the person at the terminal can put right: shown as one sentence, without a stack. */
export class LocalFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LocalFailure';
  }
}
