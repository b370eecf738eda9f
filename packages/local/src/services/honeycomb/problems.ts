import type { QueryProblem } from '../../query/specification.ts';

export interface TypeDetail {
  code: 'invalid' | 'missing' | 'incorrect_type' | 'already_exists';
  field: string;
  description: string;
}

const titles: Record<string, string> = {
  'not-found': 'The requested resource cannot be found.',
  'validation-failed': 'The provided input is invalid.',
  'method-not-allowed': 'The requested method is not supported.',
};

/** A refusal in Honeycomb's own form, which is RFC 7807 with `error`. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly #type: string;
  readonly #details: TypeDetail[] | undefined;

  constructor(status: number, type: string, message: string, details?: TypeDetail[]) {
    super(message);
    this.name = 'ApiProblem';
    this.status = status;
    this.#type = type;
    this.#details = details;
  }

  body(): object {
    return {
      status: this.status,
      type: `https://api.honeycomb.io/problems/${this.#type}`,
      title: titles[this.#type] ?? this.#type,
      error: this.message,
      ...(this.#details && { type_detail: this.#details }),
    };
  }
}

export function notFound(message: string): ApiProblem {
  return new ApiProblem(404, 'not-found', message);
}

/**
 * @returns the body of a refusal that names each problem: `/filters/0/op` is `filters[0].op` there.
 */
export function invalid(problems: QueryProblem[]): object {
  const details = problems.map(({ pointer, line, column, message }): TypeDetail => {
    const field = pointer
      .slice(1)
      .replace(/\/(\d+)(?=\/|$)/g, '[$1]')
      .replaceAll('/', '.')
      .replaceAll('~1', '/')
      .replaceAll('~0', '~');
    return { code: 'invalid', field, description: `${message} (line ${line}, column ${column})` };
  });
  const sentences = problems.map(({ message }) => message).join(' ');
  return new ApiProblem(422, 'validation-failed', sentences, details).body();
}
