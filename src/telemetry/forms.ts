/** Shorter texts are words that stand in any log line; taking them out would hide the log, not the secret. */
export const shortest = 6;

/** @returns the longest first, each also as JSON, JSON within JSON, Node showing an object, a URL, a URL within a URL and a form write it. */
export function formsOf(values: Iterable<string>): string[] {
  const forms = [...values].flatMap((value) => [value, ...inJson(value), ...encoded(value)]);
  return [...new Set(forms)].filter((form) => form.length >= shortest).sort((a, b) => b.length - a.length);
}

/** In JSON, in JSON within JSON, and in what Node shows of an object, which leaves quotation marks as they are. */
function inJson(value: string): string[] {
  const once = JSON.stringify(value).slice(1, -1);
  return [once, JSON.stringify(once).slice(1, -1), once.replaceAll('\\"', '"')];
}

function encoded(value: string): string[] {
  // A lone surrogate has no form in a URL.
  const wellFormed = value.toWellFormed();
  const once = encodeURIComponent(wellFormed);
  const form = new URLSearchParams([['', wellFormed]]).toString().slice(1);
  return once.length > longestUrl ? [once, form] : [once, form, encodeURIComponent(once)];
}

/** No URL within a URL is shown that is longer. */
const longestUrl = 2_048;
