import type { LocalFunction } from '../../service/model.ts';

/** `name`, `account:function:name`, or an ARN; each with or without `:qualifier`. */
const functionName =
  /^(?:(?:arn:aws[\w-]*:lambda:[\w-]+:)?\d{12}:function:|(?:arn:aws[\w-]*:lambda:[\w-]+:)?function:)?([\w-]+)(?::(\$LATEST|[\w-]+))?$/;

export interface FunctionReference {
  name: string;
  qualifier?: string;
}

/** @returns the parts of what Lambda's API takes for a function; undefined for anything else. */
export function parseFunctionName(text: string): FunctionReference | undefined {
  const [, name, qualifier] = functionName.exec(text) ?? [];
  return name === undefined ? undefined : { name, ...(qualifier !== undefined && { qualifier }) };
}

/**
 * Finds a function by the name it is deployed under, or by its key in serverless.yml, which AWS
 * does not know.
 */
export function findFunction(functions: readonly LocalFunction[], name: string): LocalFunction | undefined {
  return functions.find((lambda) => lambda.name === name) ?? functions.find((lambda) => lambda.key === name);
}
