'use strict';

/** Logs Insights queries that are saved in the account, a folder per stage. Alarms name them. */
const queries = {
  availability: `filter event.status >= 500
| fields @timestamp, event.route, event.status, event.error_code, event.duration_ms, xray_trace_id
| sort @timestamp desc
| limit 50`,
  latency: `filter ispresent(event.duration_ms)
| stats count() as requests, pct(event.duration_ms, 50) as p50, pct(event.duration_ms, 90) as p90, pct(event.duration_ms, 99) as p99 by event.route
| sort p99 desc`,
  'slowest-requests': `filter ispresent(event.duration_ms)
| fields @timestamp, event.route, event.status, event.duration_ms, event.cold_start, xray_trace_id
| sort event.duration_ms desc
| limit 20`,
  'errors-by-code': `filter ispresent(event.error_code)
| stats count() as requests by event.route, event.status, event.error_code
| sort requests desc`,
  'telemetry-loss': `filter level = "WARN" or ispresent(TelemetryLost_spans) or ispresent(TelemetryLost_items)
| fields @timestamp, message, TelemetryLost_spans, TelemetryLost_items, xray_trace_id
| sort @timestamp desc
| limit 50`,
  throttles: `filter @type = "REPORT"
| stats max(@duration) as longest, count() as invocations by bin(1m), @log
| sort invocations desc`,
  'one-trace': `# Replace the id by that of an error body, a Rollbar item or a response header.
filter trace_id = "<32 hex digits>" or xray_trace_id = "1-..."
| fields @timestamp, @message
| sort @timestamp`,
};

module.exports = async ({ resolveConfigurationProperty }) => {
  const service = await resolveConfigurationProperty(['service']);
  const stage = await resolveConfigurationProperty(['custom', 'stageName']);
  const functions = await resolveConfigurationProperty(['functions']);
  const LogGroupNames = Object.keys(functions).map((key) => `/aws/lambda/${service}-${stage}-${key}`);
  const Resources = {};
  for (const [name, QueryString] of Object.entries(queries)) {
    const id = name.replace(/(^|-)(\w)/g, (_, __, letter) => letter.toUpperCase());
    Resources[`Query${id}`] = {
      Type: 'AWS::Logs::QueryDefinition',
      Properties: { Name: `${service}-${stage}/${name}`, QueryString, LogGroupNames },
    };
  }
  return { Resources };
};
