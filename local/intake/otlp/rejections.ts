import type { TelemetrySink } from '../../store/records.ts';

/** What of one request was not taken, and why. */
export interface Rejections {
  count: number;
  add(reason: string, place: string, count?: number): void;
  /** One sentence for the sender: each reason with its number and its first place. Empty when nothing was rejected. */
  message(noun: string): string;
}

/** @returns an empty account that tells `sink` of each item too. */
export function accountRejections(sink: TelemetrySink, intake: string): Rejections {
  const reasons = new Map<string, { count: number; first: string }>();
  return {
    count: 0,
    add(reason, place, count = 1) {
      this.count += count;
      const known = reasons.get(reason);
      if (known) known.count += count;
      else reasons.set(reason, { count, first: place });
      for (let i = 0; i < count; i++) sink.rejected(intake, reason, place);
    },
    message(noun) {
      if (this.count === 0) return '';
      const parts = [...reasons].map(([reason, { count, first }]) => `${count} × ${reason} (first: ${first})`);
      return `${this.count} ${noun}${this.count === 1 ? '' : 's'} rejected: ${parts.join('; ')}`;
    },
  };
}
