import type { GatewayResponse, LocalTable, SamplingRule, TraceGroup } from '../model.ts';
import { resolveIntrinsics, type TemplateContext, UnresolvedIntrinsic } from './intrinsics.ts';

export interface LocalResources {
  tables: LocalTable[];
  samplingRules: SamplingRule[];
  traceGroups: TraceGroup[];
  gatewayResponses: GatewayResponse[];
}

/**
 * @returns the resources of a template that exist on this machine; `warnings` gets a sentence for
 * each that should, and cannot.
 */
export function readResources(context: TemplateContext, warnings: string[]): LocalResources {
  const resolved = Object.entries(context.resources).flatMap(([logicalId, resource]) => {
    if (!resource.Type || !Object.hasOwn(readers, resource.Type)) return [];
    try {
      const properties = resolveIntrinsics(resource.Properties ?? {}, context) as Record<string, unknown>;
      return [{ logicalId, type: resource.Type, properties }];
    } catch (error) {
      if (!(error instanceof UnresolvedIntrinsic)) throw error;
      warnings.push(`resources.Resources.${logicalId} is left out: ${error.reason}`);
      return [];
    }
  });
  const resources: LocalResources = { tables: [], samplingRules: [], traceGroups: [], gatewayResponses: [] };
  for (const { logicalId, type, properties } of resolved) readers[type]?.(resources, logicalId, properties, context);
  resources.samplingRules.sort((a, b) => a.Priority - b.Priority || a.RuleName.localeCompare(b.RuleName));
  return resources;
}

type Reader = (
  into: LocalResources,
  logicalId: string,
  properties: Record<string, unknown>,
  context: TemplateContext,
) => void;

const readers: Record<string, Reader> = {
  'AWS::DynamoDB::Table': ({ tables }, logicalId, properties, context) => {
    const tableName = String(properties.TableName ?? `${context.stackName}-${logicalId}`);
    tables.push({ logicalId, tableName, properties });
  },
  'AWS::XRay::SamplingRule': ({ samplingRules }, logicalId, properties) => {
    const rule = (properties.SamplingRule ?? {}) as Partial<SamplingRule>;
    samplingRules.push({
      RuleName: String(rule.RuleName ?? logicalId),
      Priority: Number(rule.Priority ?? 10_000),
      FixedRate: Number(rule.FixedRate ?? 0),
      ReservoirSize: Number(rule.ReservoirSize ?? 0),
      ServiceName: String(rule.ServiceName ?? '*'),
      ServiceType: String(rule.ServiceType ?? '*'),
      Host: String(rule.Host ?? '*'),
      HTTPMethod: String(rule.HTTPMethod ?? '*'),
      URLPath: String(rule.URLPath ?? '*'),
      ResourceARN: String(rule.ResourceARN ?? '*'),
      ...(rule.Attributes ? { Attributes: rule.Attributes } : {}),
    });
  },
  'AWS::XRay::Group': ({ traceGroups }, logicalId, properties) => {
    const insights = (properties.InsightsConfiguration ?? {}) as Partial<TraceGroup['InsightsConfiguration']>;
    traceGroups.push({
      GroupName: String(properties.GroupName ?? logicalId),
      FilterExpression: String(properties.FilterExpression ?? ''),
      InsightsConfiguration: {
        InsightsEnabled: insights.InsightsEnabled === true,
        NotificationsEnabled: insights.NotificationsEnabled === true,
      },
    });
  },
  'AWS::ApiGateway::GatewayResponse': ({ gatewayResponses }, _, properties) => {
    const { ResponseType, StatusCode, ResponseParameters, ResponseTemplates } = properties;
    gatewayResponses.push({
      responseType: String(ResponseType),
      ...(StatusCode === undefined ? {} : { statusCode: Number(StatusCode) }),
      parameters: headerParameters(ResponseParameters as Record<string, string> | undefined),
      templates: (ResponseTemplates ?? {}) as Record<string, string>,
    });
  },
};

/**
 * `gatewayresponse.header.X: "'value'"` becomes `X: value`; `context.…` stays, to be looked up at
 * each request.
 */
function headerParameters(given: Record<string, string> = {}): Record<string, string> {
  const prefix = 'gatewayresponse.header.';
  return Object.fromEntries(
    Object.entries(given)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value.replace(/^'(.*)'$/s, '$1')]),
  );
}
