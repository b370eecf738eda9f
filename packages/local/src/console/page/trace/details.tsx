import type { ExplainedTrace } from '../../../explain/explained-traces.ts';
import { condense } from '../../../format/log-line.ts';
import { metricTexts } from '../../../format/metric.ts';
import { pathOf } from '../../../format/node.ts';
import { clock, duration } from '../../../format/time.ts';
import { missingOnAws, notSeenIn, seenIn } from '../../../format/tools.ts';
import { requestNode } from '../../../trace/caller-wait.ts';
import { inOrder, type TraceLog, type TraceNode } from '../../../trace/trace.ts';
import { chosenNode, type Tab, tab, tabs } from '../state.ts';
import { fieldsOf } from './fields.ts';

const titles: Record<Tab, string> = {
  logs: 'Logs',
  error: 'Error',
  request: 'Request',
  span: 'Span',
  aws: 'As AWS shows it',
  raw: 'Raw',
};

const panels: Record<Tab, (props: { trace: ExplainedTrace }) => preact.ComponentChild> = {
  logs: Logs,
  error: Failure,
  request: RequestFields,
  span: Span,
  aws: Tools,
  raw: ({ trace }) => <pre>{JSON.stringify(trace, null, 2)}</pre>,
};

/** Everything about the trace beyond its waterfall, one tab at a time. */
export function Details({ trace }: { trace: ExplainedTrace }) {
  const Panel = panels[tab.value];
  return (
    <section class="details" aria-label="Details">
      <div role="tablist" aria-label="Details" onKeyDown={moveTab}>
        {tabs.map((name) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={tab.value === name}
            aria-controls="panel"
            tabIndex={tab.value === name ? 0 : -1}
            onClick={() => (tab.value = name)}
          >
            {titles[name]}
          </button>
        ))}
      </div>
      <div id="panel" role="tabpanel" tabIndex={0} aria-labelledby={`tab-${tab.value}`}>
        <Panel trace={trace} />
      </div>
    </section>
  );
}

function moveTab(event: KeyboardEvent): void {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by === undefined) return;
  const next = tabs[(tabs.indexOf(tab.value) + by + tabs.length) % tabs.length];
  if (next) tab.value = next;
  document.getElementById(`tab-${tab.value}`)?.focus();
  event.preventDefault();
}

function Logs({ trace }: { trace: ExplainedTrace }) {
  const shown = trace.logs.map((log) => ({ log, line: condense(log) })).filter(({ line }) => line.kind === 'line');
  if (shown.length === 0) return <p class="quiet">No log line has arrived.</p>;
  return (
    <>
      <ul class="logs">
        {shown.map(({ log, line }, at) => (
          <li key={at}>
            <span class="quiet time">{`${log.time < trace.start ? '-' : '+'}${duration(Math.abs(log.time - trace.start))}`}</span>
            <span class={`level ${line.style}`}>{line.level}</span>
            <span class={line.style}>
              {line.text}
              {stackOf(log) ? <pre class="quiet">{stackOf(log)}</pre> : ''}
            </span>
          </li>
        ))}
      </ul>
      {metricTexts(trace.metrics).map((text) => (
        <p key={text} class="quiet">
          {text}
        </p>
      ))}
    </>
  );
}

/** A record of OTLP has its stack in an attribute. */
function stackOf({ attributes }: TraceLog): string {
  const stack = attributes?.['exception.stacktrace'];
  return typeof stack === 'string' ? stack : '';
}

function Failure({ trace }: { trace: ExplainedTrace }) {
  const seen = new Set<string>();
  const thrown = [...inOrder(trace.roots)].reverse().flatMap((node) =>
    node.exceptions.flatMap((exception) => {
      const key = `${exception.type} ${exception.message}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ node, exception, key }];
    }),
  );
  if (thrown.length === 0) return <p class="quiet">No exception was recorded.</p>;
  return (
    <>
      {thrown.map(({ node, exception, key }) => (
        <div key={key} class="exception">
          <p class="bad">{[exception.type, exception.message].filter(Boolean).join(': ')}</p>
          <p class="quiet">in {node.name}</p>
          {exception.stack.slice(0, 30).map((frame, at) => (
            <div key={at}>
              <code>{`at ${frame.label ?? '?'} (${[frame.path, frame.line, frame.column].filter((part) => part !== undefined).join(':')})`}</code>
              {frame.source && isOwn(frame.path) ? (
                <pre>
                  {frame.source.map(({ line, text }) => (
                    <span key={line} class={line === frame.line ? 'bad' : 'quiet'}>
                      {`${line === frame.line ? '>' : ' '} ${String(line).padStart(4)} | ${text}\n`}
                    </span>
                  ))}
                </pre>
              ) : (
                ''
              )}
            </div>
          ))}
        </div>
      ))}
    </>
  );
}

/** The lines of a library say nothing that the service could change. */
function isOwn(path = ''): boolean {
  return !/^\.\.\/|(^|\/)node_modules\//.test(path);
}

function RequestFields({ trace }: { trace: ExplainedTrace }) {
  const http = requestNode(trace.roots)?.http;
  const fields: [string, string | number | undefined][] = [
    ['method', http?.method],
    ['URL', pathOf(http?.url)],
    ['status', http?.status],
    ['waited', duration(trace.duration)],
    ['started', clock(trace.start)],
    ['response bytes', http?.contentLength],
    ['user', trace.user],
    ['client', http?.clientIp],
    ['user agent', http?.userAgent],
    ['X-Ray ID', trace.xrayId],
    ['trace ID', trace.id],
  ];
  return (
    <>
      <Fields fields={fields.filter(([, value]) => value !== undefined).map(([key, value]) => [key, String(value)])} />
      <p class="quiet">Headers and bodies are not recorded.</p>
    </>
  );
}

function Span({ trace }: { trace: ExplainedTrace }) {
  const id = chosenNode.value.replace(/^group /, '');
  const node: TraceNode | undefined =
    [...inOrder(trace.roots)].find((one) => one.id === id) ?? requestNode(trace.roots);
  if (!node) return <p class="quiet">No span has arrived.</p>;
  return (
    <>
      <h3>{node.name}</h3>
      <Fields fields={[['id', node.id], ['sources', node.sources.join(', ')], ...fieldsOf(node)]} />
    </>
  );
}

function Fields({ fields }: { fields: (readonly [string, string])[] }) {
  return (
    <dl>
      {fields.map(([key, value]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Tools({ trace }: { trace: ExplainedTrace }) {
  const missing = [...notSeenIn(trace), missingOnAws(trace)].filter((one) => one !== undefined);
  return (
    <>
      <ul>
        {seenIn(trace).map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      {missing.length > 0 ? <h3>Not seen there</h3> : ''}
      <ul>
        {missing.map((text) => (
          <li key={text} class="warning">
            {text}
          </li>
        ))}
      </ul>
    </>
  );
}
