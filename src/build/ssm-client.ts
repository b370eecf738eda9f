/**
 * What is used of the SDK's client for the parameter store, in a file of its own beside the bundles
 * (`custom.build.esbuild.chunks` of serverless.yml): a fifth of the whole client.
 */
export {
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  ParameterNotFound,
  PutParameterCommand,
  paginateGetParametersByPath,
  SSMClient,
} from '@aws-sdk/client-ssm';
