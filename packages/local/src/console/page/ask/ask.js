/**
 * The page of saved queries: a query is a link, `/ask?query=slowest-routes`. All that is shown is
 * untrusted text.
 */

const bars = '▁▂▃▄▅▆▇█';

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function shown(value) {
  if (value === null) return '–';
  if (Array.isArray(value)) return sparkline(value.map(({ count }) => count));
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(5)));
  return String(value);
}

function sparkline(values) {
  const most = Math.max(0, ...values);
  return values.map((value) => bars[Math.min(7, Math.floor((most > 0 ? value / most : 0) * 8))]).join('');
}

function table({ columns, rows, series }) {
  const groups = columns.filter(({ op }) => op === undefined).length;
  const keyOf = (values) => JSON.stringify(values.slice(0, groups));
  const made = element('table');
  const head = made.createTHead().insertRow();
  for (const { name, op } of columns) head.append(element('th', name, op ? 'number' : ''));
  const charted = columns.findIndex(({ op }) => op !== undefined && op !== 'HEATMAP');
  if (series.length > 0 && charted !== -1) head.append(element('th', `${columns[charted].name} over time`));
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const [at, value] of row.entries()) {
      const cell = element('td', undefined, typeof value === 'number' ? 'number' : '');
      if (columns[at].field === 'trace.trace_id' && columns[at].op === undefined && typeof value === 'string') {
        const link = element('a', value);
        link.href = `/#${encodeURIComponent(value)}`;
        cell.append(link);
      } else cell.textContent = shown(value);
      line.append(cell);
    }
    const points = series
      .filter(({ values }) => keyOf(values) === keyOf(row))
      .map(({ values }) => values[charted] ?? 0);
    if (series.length > 0 && charted !== -1) line.append(element('td', sparkline(points)));
  }
  return made;
}

async function run(key) {
  const result = document.querySelector('#result');
  const notes = document.querySelector('#notes');
  const text = await (await fetch(`/api/queries/${encodeURIComponent(key)}`)).text();
  const response = await fetch('/api/query', { method: 'POST', body: text });
  const answer = await response.json();
  const problems = response.ok
    ? answer.result.notes
    : (answer.problems ?? [{ line: 1, column: 1, message: answer.detail }]);
  notes.replaceChildren(
    ...problems.map(({ line, column, message }) => element('li', `${key}.json:${line}:${column}: ${message}`)),
  );
  if (!response.ok) return result.replaceChildren();
  document.querySelector('#name').textContent = answer.name ?? key;
  document.querySelector('#description').textContent = answer.description ?? '';
  const { rows } = answer.result;
  result.replaceChildren(rows.length > 0 ? table(answer.result) : element('p', 'No rows.'));
}

const chosen = new URLSearchParams(location.search).get('query');
const queries = await (await fetch('/api/queries')).json();
document.querySelector('#queries').replaceChildren(
  ...queries.map(({ key, name, description }) => {
    const link = element('a', name);
    link.href = `/ask?query=${encodeURIComponent(key)}`;
    link.title = description;
    if (key === chosen) link.setAttribute('aria-current', 'page');
    const item = element('li');
    item.append(link);
    return item;
  }),
);
if (chosen !== null) await run(chosen);
