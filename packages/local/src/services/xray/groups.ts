import type { LocalService, TraceGroup } from '../../service/model.ts';
import { localAccountId } from '../../service/read.ts';
import { type Body, invalidRequest, optionalString } from './api-request.ts';
import { everything, type Filter, type GroupFilters, nothing } from './filter/grammar.ts';
import { parseFilter } from './filter/parse.ts';
import { FilterError } from './filter/tokens.ts';

/** Every account has it; it holds every trace. */
const defaultGroup: TraceGroup = {
  GroupName: 'Default',
  FilterExpression: '',
  InsightsConfiguration: { InsightsEnabled: false, NotificationsEnabled: false },
};

/** The groups of the template, and `Default`. */
export class Groups {
  readonly #groups: readonly { answer: Body; filter: Filter; problem?: string }[];

  constructor({ traceGroups = [], region }: Pick<LocalService, 'traceGroups' | 'region'>) {
    this.#groups = [defaultGroup, ...traceGroups].map((group) => {
      const { GroupName, FilterExpression, InsightsConfiguration } = group;
      const answer = {
        GroupName,
        GroupARN: `arn:aws:xray:${region}:${localAccountId}:group/${GroupName}${GroupName === 'Default' ? '' : '/LOCAL'}`,
        ...(FilterExpression && { FilterExpression }),
        InsightsConfiguration,
      };
      return { answer, ...filterOf(FilterExpression) };
    });
  }

  /** What `group.name` and `group.arn` of a filter expression mean, by name and by ARN. */
  get filters(): GroupFilters {
    return new Map(
      this.#groups.flatMap(({ answer, filter }) => [
        [String(answer.GroupName), filter],
        [String(answer.GroupARN), filter],
      ]),
    );
  }

  /** GetGroups */
  list(): Body {
    return { Groups: this.#groups.map(({ answer }) => answer) };
  }

  /** GetGroup. @throws ApiError without a name or ARN of a group. */
  get(body: Body): Body {
    return { Group: this.#find(body).answer };
  }

  /**
   * @returns the filter of the group that a request names; of `Default`, without a name.
   * @throws ApiError for a group that is not there, or whose expression cannot be understood here.
   */
  filterOf(body: Body): Filter {
    if (body.GroupName === undefined && body.GroupARN === undefined) return everything;
    const { filter, problem } = this.#find(body);
    if (problem !== undefined) throw invalidRequest(problem);
    return filter;
  }

  #find(body: Body) {
    const [name, arn] = [optionalString(body, 'GroupName'), optionalString(body, 'GroupARN')];
    const found = this.#groups.find(({ answer }) =>
      arn === undefined ? answer.GroupName === name : answer.GroupARN === arn,
    );
    if (found) return found;
    throw invalidRequest(`Group not found: ${arn ?? name ?? 'give GroupName or GroupARN'}.`);
  }
}

function filterOf(expression: string): { filter: Filter; problem?: string } {
  if (expression.trim() === '') return { filter: everything };
  try {
    return { filter: parseFilter(expression) };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { filter: nothing, problem: `The group's FilterExpression is not understood here: ${error.message}.` };
  }
}
