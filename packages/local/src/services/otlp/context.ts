import type { AttributeValue, InstrumentationContext } from '../../trace/records.ts';
import { attributes } from './attributes.ts';
import type { Batch } from './decode.ts';

/** Fields that all items of one batch share, as the records carry them. */
export interface BatchContext {
  serviceName: string;
  resource: Record<string, AttributeValue>;
  scopeName?: string;
  scopeVersion?: string;
  context?: InstrumentationContext;
  /** First so many attributes of anything are kept. */
  maximumAttributes: number;
}

/** As the specification names a service that does not name itself. */
const unknownService = 'unknown_service';

/** @returns what all the items of `batch` share: made once, and the same objects in each record. */
export function batchContext(batch: Batch<unknown>, maximumAttributes: number): BatchContext {
  const resource = attributes(batch.resource?.attributes ?? [], maximumAttributes);
  const shared: BatchContext = {
    serviceName: String(resource['service.name'] ?? unknownService),
    resource,
    maximumAttributes,
  };
  if (batch.scope?.name) shared.scopeName = batch.scope.name;
  if (batch.scope?.version) shared.scopeVersion = batch.scope.version;
  const context: InstrumentationContext = {};
  if (batch.resourceSchemaUrl) context.resourceSchemaUrl = batch.resourceSchemaUrl;
  if (batch.schemaUrl) context.schemaUrl = batch.schemaUrl;
  if (batch.scope?.attributes.length) context.scopeAttributes = attributes(batch.scope.attributes, maximumAttributes);
  if (batch.resource?.droppedAttributesCount) context.droppedResourceAttributes = batch.resource.droppedAttributesCount;
  if (batch.scope?.droppedAttributesCount) context.droppedScopeAttributes = batch.scope.droppedAttributesCount;
  if (Object.keys(context).length > 0) shared.context = context;
  return shared;
}

/** Copies what is in every record of a batch. */
export function scopeOf(shared: BatchContext): Pick<BatchContext, 'scopeName' | 'scopeVersion' | 'context'> {
  const scope: Pick<BatchContext, 'scopeName' | 'scopeVersion' | 'context'> = {};
  if (shared.scopeName !== undefined) scope.scopeName = shared.scopeName;
  if (shared.scopeVersion !== undefined) scope.scopeVersion = shared.scopeVersion;
  if (shared.context !== undefined) scope.context = shared.context;
  return scope;
}
