import type { ParserMethod } from 'chevrotain';
import { problemAt } from '../syntax.ts';
import { ConditionParser, combined } from './condition-parser.ts';
import type { FieldCondition, FieldPattern, FilterPattern, NamedCondition } from './pattern.ts';
import * as tokens from './tokens.ts';

/** `[ip, user, status = 4* && status != 403, ..., bytes > 1000]` */
export class FieldParser extends ConditionParser {
  constructor() {
    super(tokens.fieldTokens);
    this.performSelfAnalysis();
  }

  readonly #value = this.RULE('value', () =>
    this.OR([
      { ALT: () => this.CONSUME(tokens.quotedText) },
      { ALT: () => this.CONSUME(tokens.regex) },
      { ALT: () => this.CONSUME(tokens.fieldText) },
    ]),
  );
  readonly #comparison = this.RULE(
    'comparison',
    this.comparisonWith(() => this.SUBRULE(this.#value)),
  );

  readonly pattern = this.RULE('pattern', (): FilterPattern => {
    const found: FieldPattern[] = [];
    this.CONSUME(tokens.openFields);
    this.AT_LEAST_ONE_SEP({
      SEP: tokens.comma,
      DEF: () => {
        const field = this.OR([
          {
            ALT: () => {
              const token = this.CONSUME(tokens.rest);
              this.ACTION(() => {
                if (found.includes('rest')) throw problemAt(token, 'More than one "..."');
              });
              return 'rest' as const;
            },
          },
          { ALT: () => this.SUBRULE(this.#field) },
        ]);
        this.ACTION(() => found.push(field));
      },
    });
    this.CONSUME(tokens.closeFields);
    return { kind: 'fields', fields: found };
  });

  /** `status`, or `status = 4* && status != 403`: the name is repeated in each condition. */
  readonly #field = this.RULE('field', (): FieldPattern => {
    const { name, condition } = this.SUBRULE(this.#any, { ARGS: [undefined] });
    return condition ? { name, condition } : { name };
  });

  readonly #one = this.RULE(
    'one',
    (own: string | undefined): NamedCondition =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(tokens.open);
            const inner = this.nested(() => this.SUBRULE(this.#any, { ARGS: [own] }));
            this.CONSUME(tokens.close);
            return inner;
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(tokens.fieldText);
            this.ACTION(() => {
              if (own !== undefined && token.image !== own)
                throw problemAt(token, `A condition of the field "${own}" names "${token.image}"`);
            });
            const condition = this.OPTION(() => this.SUBRULE(this.#comparison));
            return { name: token.image, ...(condition && { condition: { kind: 'compare' as const, ...condition } }) };
          },
        },
      ]),
  );

  readonly #all = this.RULE('all', (own: string | undefined) => this.#joined('all', own));
  readonly #any: ParserMethod<[string | undefined], NamedCondition> = this.RULE('any', (own: string | undefined) =>
    this.#joined('any', own),
  );

  #joined(kind: 'all' | 'any', own: string | undefined): NamedCondition {
    let name = own;
    const parts: FieldCondition[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: kind === 'all' ? tokens.and : tokens.or,
      DEF: () => {
        const part =
          kind === 'all' ? this.SUBRULE(this.#one, { ARGS: [name] }) : this.SUBRULE(this.#all, { ARGS: [name] });
        this.ACTION(() => {
          name = part.name;
          if (part.condition) parts.push(part.condition);
        });
      },
    });
    return { name: name ?? '', ...(parts.length > 0 && { condition: combined(kind, parts) }) };
  }
}
