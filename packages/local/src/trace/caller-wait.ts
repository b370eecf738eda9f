import { inOrder, type TraceNode, topNodes } from './trace.ts';

/**
 * Finds the node whose time the caller waited: API Gateway's stage, which lies within a browser's
 * span where the page is instrumented too; without a gateway, the first of the topmost nodes.
 */
export function requestNode(roots: readonly TraceNode[]): TraceNode | undefined {
  for (const node of inOrder(roots)) {
    if (node.type === 'segment' && node.origin?.startsWith('AWS::ApiGateway')) return node;
  }
  return topNodes(roots)[0];
}
