import type { Trace, TraceNode } from '../../trace/trace.ts';

/**
 * A part of the system as X-Ray's map shows it: a segment, or what an uninstrumented target was
 * called by.
 */
export interface ServiceNode {
  name: string;
  /** `AWS::Lambda::Function`, `AWS::DynamoDB::Table`, `remote`, … */
  type?: string;
  accountId?: string;
  /** Known only by the subsegment that called it. */
  inferred: boolean;
  /** Nothing in the trace called it. */
  root: boolean;
  /** Called with namespace `remote`. */
  remote: boolean;
  /** The segment, or of an inferred service the subsegment that called it. */
  node: TraceNode;
  /** The node and what is below it, down to the next segment. */
  parts: TraceNode[];
}

export interface ServiceEdge {
  from: ServiceNode;
  to: ServiceNode;
  /** The caller's view of the call; of a segment right below another, the segment itself. */
  call: TraceNode;
}

const awsTypes: Record<string, string> = {
  DynamoDB: 'AWS::DynamoDB::Table',
  S3: 'AWS::S3::Bucket',
  SQS: 'AWS::SQS::Queue',
  SNS: 'AWS::SNS',
};

function typeOf(node: TraceNode): string | undefined {
  if (node.origin) return node.origin;
  if (node.namespace === 'aws') return awsTypes[node.name] ?? `AWS::${node.name}`;
  return node.namespace === 'remote' ? 'remote' : undefined;
}

/** The table is the service of a DynamoDB call, as on X-Ray's map. */
function nameOf(node: TraceNode): string {
  const table = node.aws?.table_name;
  return node.type !== 'segment' && typeof table === 'string' ? table : node.name;
}

function accountOf(node: TraceNode): string | undefined {
  const id = node.aws?.account_id;
  return typeof id === 'string' ? id : undefined;
}

function serviceOf(node: TraceNode, more: Pick<ServiceNode, 'inferred' | 'root' | 'remote'>): ServiceNode {
  const type = typeOf(node);
  const accountId = accountOf(node);
  return { name: nameOf(node), ...(type && { type }), ...(accountId && { accountId }), ...more, node, parts: [node] };
}

/** @returns the services of a trace, callers before called, and who called whom. */
export function servicesOf(trace: Pick<Trace, 'roots'>): { services: ServiceNode[]; edges: ServiceEdge[] } {
  const services: ServiceNode[] = [];
  const edges: ServiceEdge[] = [];
  const waiting: { node: TraceNode; parent?: TraceNode; owner?: ServiceNode }[] = [...trace.roots]
    .reverse()
    .map((node) => ({ node }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, parent, owner } = next;
    let service = owner;
    if (node.type === 'segment' || !service) {
      service = serviceOf(node, { inferred: false, root: !owner, remote: parent?.namespace === 'remote' });
      services.push(service);
      if (owner) edges.push({ from: owner, to: service, call: parent && parent.type !== 'segment' ? parent : node });
    } else {
      service.parts.push(node);
      if ((node.namespace === 'aws' || node.namespace === 'remote') && !leadsToSegment(node)) {
        const called = serviceOf(node, { inferred: true, root: false, remote: node.namespace === 'remote' });
        services.push(called);
        edges.push({ from: service, to: called, call: node });
      }
    }
    for (let at = node.children.length - 1; at >= 0; at--) {
      waiting.push({ node: node.children[at] as TraceNode, parent: node, owner: service });
    }
  }
  return { services, edges };
}

function leadsToSegment(node: TraceNode): boolean {
  const waiting = [...node.children];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next.type === 'segment') return true;
    waiting.push(...next.children);
  }
  return false;
}

/** @returns what SDKs and the platform say of where a node ran. */
export function placesOf({ aws, resourceArn }: TraceNode): { arn?: string; instance?: string; zone?: string } {
  const ec2 = aws?.ec2 as Record<string, unknown> | undefined;
  const arn = resourceArn ?? aws?.resource_arn ?? aws?.function_arn;
  return {
    ...(typeof arn === 'string' && { arn }),
    ...(typeof ec2?.instance_id === 'string' && { instance: ec2.instance_id }),
    ...(typeof ec2?.availability_zone === 'string' && { zone: ec2.availability_zone }),
  };
}
