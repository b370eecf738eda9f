// One trace: its tree with bars in time, and what it logged, measured and reported.
import { fieldsOf } from './fields.js';

/** @returns a new element with a class and children; whatever is no element becomes text. */
export function element(name, className = '', children = []) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(
    ...(Array.isArray(children) ? children : [children]).map((child) =>
      child instanceof Node ? child : String(child),
    ),
  );
  return made;
}

export function duration(milliseconds) {
  if (!Number.isFinite(milliseconds)) return '?';
  if (milliseconds < 9.995) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 99.95) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 999.5 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

export function pathOf(url) {
  return url?.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(?=[/?#])/i, '');
}

export function statusClass(status = 0) {
  return status >= 500 ? 'bad' : status >= 400 ? 'warning' : 'good';
}

/** @returns the sign of how something ended, with a word for it unless `words` is false; empty where nothing went wrong. */
export function markOf({ fault, throttle, error }, words = true) {
  if (fault) return element('span', 'bad', words ? ' ✗ fault' : '✗ ');
  if (throttle) return element('span', 'throttled', words ? ' » throttled' : '» ');
  return error ? element('span', 'warning', words ? ' ! error' : '! ') : '';
}

/** Replaces what is in `target` by a trace. */
export function showTrace(target, trace) {
  const request = [trace.http?.method, pathOf(trace.http?.url)].filter(Boolean).join(' ');
  target.replaceChildren(
    element('h2', '', request || trace.roots[0]?.name || 'Nothing of this trace but its logs'),
    element('div', 'facts', [
      element('span', `number ${statusClass(trace.http?.status)}`, trace.http?.status ?? ''),
      element('strong', '', trace.inProgress ? 'in progress' : duration(trace.duration)),
      trace.coldStart ? element('span', 'cold', 'cold start') : '',
      markOf(trace),
      element('span', 'quiet', trace.user ? `user ${trace.user}` : ''),
      element('span', 'quiet mono', trace.xrayId),
    ]),
    element('div', 'tree', rowsOf(trace)),
    ...section('Logs', trace.logs, (log) => logOf(log, trace.start), 'logs'),
    ...section('Metrics', trace.metrics, ({ namespace, name, values, unit }) =>
      element('li', 'mono', `${namespace} ${name} ${values.join(', ')} ${unit}`),
    ),
    ...section('Rollbar', trace.errors, ({ level, title }) => element('li', 'bad', `${level}: ${title}`)),
    element('p', 'quiet', seenIn(trace)),
  );
}

function* nodesOf(roots) {
  // Not recursive: a trace may be thousands of levels deep.
  const waiting = roots.map((node) => ({ node, depth: 0 })).reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    yield next;
    for (const child of [...next.node.children].reverse()) waiting.push({ node: child, depth: next.depth + 1 });
  }
}

function rowsOf(trace) {
  return [...nodesOf(trace.roots)].map(({ node, depth }) => {
    const row = element('details', '', [
      element('summary', '', [nameOf(node, depth), lengthOf(node), trackOf(node, trace)]),
    ]);
    row.addEventListener('toggle', () => row.children.length === 1 && row.append(detailsOf(node)), { once: true });
    return row;
  });
}

function nameOf(node, depth) {
  const said = [
    node.origin?.replace(/^AWS::/, '').replaceAll('::', ' '),
    node.aws?.operation,
    node.aws?.table_name,
    node.http?.status,
    node.orphan && '(its parent has not arrived)',
  ];
  const name = element('span', 'name', [
    markOf(node, false),
    element('span', isCold(node) ? 'cold' : '', node.name),
    element(
      'span',
      'quiet',
      said
        .filter(Boolean)
        .map((detail) => ` ${detail}`)
        .join(''),
    ),
  ]);
  name.style.paddingLeft = `${Math.min(depth, 20)}rem`;
  return name;
}

function isCold(node) {
  return node.type === 'subsegment' && (node.name === 'Init' || node.name === 'Initialization');
}

function lengthOf(node) {
  return element('span', 'number', node.inProgress ? '…' : duration(node.duration));
}

function trackOf(node, trace) {
  const length = trace.end - trace.start || 1;
  const from = Math.max(0, Math.min(1, (node.start - trace.start) / length));
  const to = Math.max(from, Math.min(1, ((node.end ?? trace.end) - trace.start) / length));
  const kind = node.fault
    ? 'bad'
    : node.throttle
      ? 'throttled'
      : node.error
        ? 'warning'
        : isCold(node)
          ? 'cold'
          : node.namespace
            ? 'accent'
            : 'good';
  const bar = element('span', `bar ${kind}${node.inProgress ? ' open' : ''}`);
  bar.style.left = `${from * 100}%`;
  bar.style.width = `${(to - from) * 100}%`;
  return element('span', 'track', [bar]);
}

function detailsOf(node) {
  const parts = node.exceptions.map(({ type, message, stack }) =>
    element('p', 'mono', [
      element('span', 'bad', [type, message].filter(Boolean).join(': ')),
      ...stack.slice(0, 20).map(({ label, path, line }) => `\n  at ${label ?? '?'} (${path ?? '?'}:${line ?? '?'})`),
    ]),
  );
  const pairs = [['id', node.id], ['sources', node.sources.join(', ')], ...fieldsOf(node)].flatMap(([key, value]) => [
    element('dt', 'mono', key),
    element('dd', 'mono', typeof value === 'object' ? JSON.stringify(value) : value),
  ]);
  return element('div', 'details', [...parts, element('dl', '', pairs)]);
}

function section(title, items, render, className = '') {
  return items.length === 0 ? [] : [element('h3', '', title), element('ul', className, items.map(render))];
}

function logOf(log, start) {
  let { level = '', message } = log;
  try {
    const {
      level: own,
      message: text,
      timestamp,
      xray_trace_id,
      trace_id,
      span_id,
      service,
      ...rest
    } = JSON.parse(log.message);
    level = own ?? level;
    const pairs = Object.entries(rest).map(
      ([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
    );
    message = [text, ...pairs].filter(Boolean).join('  ');
  } catch {
    // A line that is no JSON is shown as it is.
  }
  const kind = /^(ERROR|FATAL|CRITICAL)$/i.test(level) ? 'bad' : /^WARN/i.test(level) ? 'warning' : '';
  return element('li', 'mono', [
    element('span', 'quiet number', `+${duration(log.time - start)}`),
    element('span', kind, String(level).slice(0, 5)),
    element('span', `log ${kind}`, message),
  ]);
}

function seenIn(trace) {
  const nodes = [...nodesOf(trace.roots)].map(({ node }) => node);
  const xray = nodes.filter(({ sources }) => sources.includes('xray')).length;
  const honeycomb = nodes.filter(({ sources }) => sources.some((source) => source !== 'xray')).length;
  return [
    `X-Ray ${count(xray, 'segment')}`,
    `Honeycomb ${count(honeycomb, 'span')}`,
    `CloudWatch ${count(trace.logs.length, 'line')}, ${count(trace.metrics.length, 'metric')}`,
    `Rollbar ${count(trace.errors.length, 'item')}`,
  ].join(' · ');
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
