/** One record of a function's output. */
export interface OutputRecord {
  message: string;
  /** Epoch milliseconds, where the runtime has said when. */
  timeMilliseconds?: number;
  level?: string;
  /** Something of it was left out, because it was longer than CloudWatch takes. */
  cut: boolean;
}

/** CloudWatch's limit of an event is 256 KB, of which it counts 26 bytes as its own. */
const maximumMessageBytes = 256 * 1024 - 26;

/**
 * Turns what a process writes to stdout or stderr into one record per line, whatever the chunks
 * that it arrives in. Carriage returns inside a line are line breaks of one record: Lambda's
 * clients write a message of several lines so.
 * @returns a function that takes chunks, and at the end of the stream `undefined`, which gives
 *   out a last line without a line end.
 */
export function splitLines(emit: (record: OutputRecord) => void): (chunk: Buffer | undefined) => void {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let cut = false;
  const add = (part: Buffer) => {
    const room = maximumMessageBytes - keptBytes;
    if (part.length > room) cut = true;
    const fitting = part.subarray(0, Math.max(room, 0));
    kept.push(fitting);
    keptBytes += fitting.length;
  };
  const flush = () => {
    const line = Buffer.concat(kept).toString('utf8').replace(/\r$/, '').replaceAll('\r', '\n');
    if (line !== '') emit({ message: line, level: levelOf(line), cut });
    kept = [];
    keptBytes = 0;
    cut = false;
  };
  return (chunk) => {
    if (!chunk) return flush();
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end));
      flush();
      start = end + 1;
    }
    add(chunk.subarray(start));
  };
}

const frameHeaderBytes = 16;
/**
 * The first three bytes of a frame's type; the last one holds whether it is text (1) or JSON (0),
 * and the level.
 */
const frameMagic = 0xa55a00;
/** No console call is longer. A longer length is not a frame's, and must not be waited for. */
const maximumFrameBytes = 64 * 1024 * 1024;
const levels: (string | undefined)[] = [undefined, 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/**
 * Reads the frames that Lambda's runtime clients write to the descriptor
 * `_LAMBDA_TELEMETRY_LOG_FD`, one per console call: type, length (4 bytes each), microseconds since
 * the epoch (8 bytes), message; big-endian.
 * @param lost is told of bytes that are no frame. What follows them cannot be found again, so the
 *   rest of the stream is given up.
 */
export function readFrames(
  emit: (record: OutputRecord) => void,
  lost: (bytes: number) => void,
): (chunk: Buffer | undefined) => void {
  let buffer = Buffer.alloc(0);
  let broken = false;
  return (chunk) => {
    if (broken) return;
    if (!chunk) {
      if (buffer.length > 0) lost(buffer.length);
      return;
    }
    buffer = buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([buffer, chunk]);
    while (buffer.length >= frameHeaderBytes) {
      if (buffer.readUIntBE(0, 3) !== frameMagic || buffer.readUInt32BE(4) > maximumFrameBytes) {
        broken = true;
        lost(buffer.length);
        return;
      }
      const length = buffer.readUInt32BE(4);
      if (buffer.length < frameHeaderBytes + length) return;
      const bytes = buffer.subarray(frameHeaderBytes, frameHeaderBytes + length);
      emit({
        message: bytes.subarray(0, maximumMessageBytes).toString('utf8').replace(/\n$/, ''),
        timeMilliseconds: Number(buffer.readBigInt64BE(8)) / 1000,
        level: levels[(buffer.readUInt8(3) & 0x1c) >> 2],
        cut: bytes.length > maximumMessageBytes,
      });
      buffer = buffer.subarray(frameHeaderBytes + length);
    }
  };
}

const textLevel = /^\S+\t[^\t]*\t(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\t/;
const jsonLevel = /"(?:level|severity)"\s*:\s*"([A-Za-z]{1,12})"/;

/**
 * @returns the level of a line that states one in Lambda's text format or as a field of a JSON
 * line.
 */
function levelOf(line: string): string | undefined {
  const text = textLevel.exec(line)?.[1];
  if (text || !line.startsWith('{')) return text;
  // The beginning is enough: what a logger puts first. Parsing every line would cost more than what
  // it is worth here.
  return jsonLevel.exec(line.slice(0, 2000))?.[1]?.toUpperCase();
}
