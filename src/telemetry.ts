import { configureTelemetry } from '@throughline/telemetry';

/**
 * This service's own data, described for telemetry: the texts people write, and the names that
 * are no secret.
 */
configureTelemetry({
  secretFields: ['term', 'bio', /^message(text|body)?$/],
  openFields: [[/^user_receiver_handle$/i, /^@?\w{1,30}$/]],
  // Words of texts in keys of the table (src/table/keys.ts): they are folded, so they equal nothing
  // that the caller sent.
  patterns: [[/\b(WORD#)[^#"\s]+/g, '$1[redacted]']],
});
