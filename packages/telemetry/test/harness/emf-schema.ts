/**
 * The schema of the Embedded Metric Format, as AWS publishes it.
 * Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format", "EMF schema".
 */
export const emfSchema = {
  type: 'object',
  title: 'Root Node',
  required: ['_aws'],
  properties: {
    _aws: {
      $id: '#/properties/_aws',
      type: 'object',
      title: 'Metadata',
      required: ['Timestamp', 'CloudWatchMetrics'],
      properties: {
        Timestamp: { type: 'integer', title: 'The Timestamp Schema' },
        CloudWatchMetrics: {
          type: 'array',
          title: 'MetricDirectives',
          items: {
            type: 'object',
            title: 'MetricDirective',
            required: ['Namespace', 'Dimensions', 'Metrics'],
            properties: {
              Namespace: {
                type: 'string',
                title: 'CloudWatch Metrics Namespace',
                pattern: '^(.*)$',
                minLength: 1,
                maxLength: 1024,
              },
              Dimensions: {
                type: 'array',
                title: 'The Dimensions Schema',
                minItems: 1,
                items: {
                  type: 'array',
                  title: 'DimensionSet',
                  minItems: 0,
                  maxItems: 30,
                  items: {
                    type: 'string',
                    title: 'DimensionReference',
                    pattern: '^(.*)$',
                    minLength: 1,
                    maxLength: 250,
                  },
                },
              },
              Metrics: {
                type: 'array',
                title: 'MetricDefinitions',
                items: {
                  type: 'object',
                  required: ['Name'],
                  minItems: 1,
                  maxItems: 100,
                  properties: {
                    Name: { type: 'string', pattern: '^(.*)$', minLength: 1, maxLength: 1024 },
                    Unit: {
                      type: 'string',
                      pattern: '^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Count|Percent|None)$',
                    },
                    StorageResolution: { type: 'integer', enum: [1, 60] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
} as const;
