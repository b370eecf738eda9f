import { isObject, type JsonObject } from '../../query/problems.ts';
import type { HoneycombApi } from './api.ts';
import { marked, markOf, normalized, type QueryFile } from './saved-queries.ts';

export interface PushOptions {
  /** `__all__` for the whole environment. */
  dataset: string;
  board: string;
  dryRun: boolean;
}

export interface Change {
  what: 'query' | 'board';
  name: string;
  state: 'create' | 'update' | 'remove' | 'unchanged';
  /** The differences, in words. */
  because?: string;
}

interface Annotation {
  id: string;
  name: string;
  description: string;
  query_id: string;
}

interface Placed {
  file: QueryFile;
  queryId: string;
  annotationId: string;
}

/**
 * Makes Honeycomb have the queries of the files, and a board that shows them. A query cannot be
 * changed there, so a changed one is made anew and takes the place of the old one. What was not
 * pushed from here is left as it is.
 * @returns what was changed, or with `dryRun` what would be.
 */
export async function push(api: HoneycombApi, files: QueryFile[], options: PushOptions): Promise<Change[]> {
  const dataset = encodeURIComponent(options.dataset);
  const annotations = await listAnnotations(api, dataset);
  const own = new Map(
    annotations.flatMap((each) => (markOf(each.description) ? [[markOf(each.description), each]] : [])),
  );
  const changes: Change[] = [];
  const placed: Placed[] = [];
  const obsolete: Annotation[] = [];
  for (const file of files) {
    const known = own.get(file.key);
    const change = await changeOf(api, dataset, file, known);
    changes.push({ what: 'query', name: file.name, ...change });
    if (change.isNew && known) obsolete.push(known);
    placed.push(await place(api, dataset, file, known, change, options.dryRun));
  }
  const keys = new Set(files.map(({ key }) => key));
  for (const [key, annotation] of own) {
    if (key === undefined || keys.has(key)) continue;
    obsolete.push(annotation);
    changes.push({ what: 'query', name: annotation.name, state: 'remove', because: `queries/${key}.json is gone` });
  }
  changes.push(
    await pushBoard(
      api,
      placed,
      new Set(annotations.filter(({ description }) => markOf(description)).map(({ id }) => id)),
      options,
    ),
  );
  // Last, so that a push that was broken off leaves nothing that the board shows and that is gone.
  if (!options.dryRun) {
    for (const { id } of obsolete)
      await api.send('DELETE', `/1/query_annotations/${dataset}/${encodeURIComponent(id)}`);
  }
  return changes.map(({ what, name, state, because }) => ({
    what,
    name,
    state,
    ...(because !== undefined && { because }),
  }));
}

export async function listAnnotations(api: HoneycombApi, dataset: string): Promise<Annotation[]> {
  const found = await api.send('GET', `/1/query_annotations/${dataset}`);
  return (Array.isArray(found) ? found : []).filter(isObject).map((each) => ({
    id: String(each.id),
    name: String(each.name ?? ''),
    description: String(each.description ?? ''),
    query_id: String(each.query_id),
  }));
}

type Difference = Pick<Change, 'state' | 'because'> & { isNew: boolean };

async function changeOf(
  api: HoneycombApi,
  dataset: string,
  file: QueryFile,
  known: Annotation | undefined,
): Promise<Difference> {
  if (!known) return { state: 'create', isNew: true };
  const there = await api.send('GET', `/1/queries/${dataset}/${encodeURIComponent(known.query_id)}`);
  const differing = differences(file.specification, isObject(there) ? there : {});
  if (differing.length > 0) return { state: 'update', because: `${differing.join(', ')} changed`, isNew: true };
  if (known.name !== file.name) return { state: 'update', because: 'the name changed', isNew: false };
  if (known.description !== marked(file)) return { state: 'update', because: 'the description changed', isNew: false };
  return { state: 'unchanged', isNew: false };
}

function differences(one: JsonObject, other: JsonObject): string[] {
  const [here, there] = [one, other].map((specification) => JSON.parse(normalized(specification)) as JsonObject);
  return Object.keys(here ?? {}).filter((key) => JSON.stringify(here?.[key]) !== JSON.stringify(there?.[key]));
}

async function place(
  api: HoneycombApi,
  dataset: string,
  file: QueryFile,
  known: Annotation | undefined,
  change: Difference,
  dryRun: boolean,
): Promise<Placed> {
  const none = { file, queryId: known?.query_id ?? '', annotationId: known?.id ?? '' };
  if (change.state === 'unchanged') return none;
  if (dryRun) return change.isNew ? { file, queryId: 'new', annotationId: 'new' } : none;
  const annotation = { name: file.name, description: marked(file) };
  if (!change.isNew && known) {
    await api.send('PUT', `/1/query_annotations/${dataset}/${encodeURIComponent(known.id)}`, {
      ...annotation,
      query_id: known.query_id,
    });
    return none;
  }
  const queryId = idOf(await api.send('POST', `/1/queries/${dataset}`, file.specification));
  const annotationId = idOf(
    await api.send('POST', `/1/query_annotations/${dataset}`, { ...annotation, query_id: queryId }),
  );
  return { file, queryId, annotationId };
}

function idOf(answer: unknown): string {
  return isObject(answer) ? String(answer.id) : '';
}

/** The grid of a board is twelve columns wide. */
const columns = 12;
const height = 5;

async function pushBoard(
  api: HoneycombApi,
  placed: Placed[],
  ours: ReadonlySet<string>,
  { dataset, board: name, dryRun }: PushOptions,
): Promise<Change> {
  const found = await api.send('GET', '/1/boards');
  const board = (Array.isArray(found) ? found : []).filter(isObject).find((each) => each.name === name);
  const there = Array.isArray(board?.panels) ? board.panels.filter(isObject) : [];
  const annotationOf = (panel: JsonObject) =>
    isObject(panel.query_panel) ? String(panel.query_panel.query_annotation_id ?? '') : '';
  const wanted = placed.map(({ file, queryId, annotationId }) => ({
    type: 'query',
    query_panel: {
      query_id: queryId,
      query_annotation_id: annotationId,
      query_style: file.hasChart ? 'combo' : 'table',
      ...(dataset !== '__all__' && { dataset }),
    },
  }));
  const shown = there.map(annotationOf).filter((id) => ours.has(id));
  const current = wanted.map(({ query_panel }) => query_panel.query_annotation_id);
  const others = there.filter((panel) => !ours.has(annotationOf(panel)));
  if (board && JSON.stringify([...shown].sort()) === JSON.stringify([...current].sort())) {
    return { what: 'board', name, state: 'unchanged' };
  }
  const panels = [...wanted, ...others.map(({ position: _, ...panel }) => panel)].map((panel, at) => ({
    ...panel,
    position: {
      x_coordinate: (at % 2) * (columns / 2),
      y_coordinate: Math.floor(at / 2) * height,
      height,
      width: columns / 2,
    },
  }));
  const body = {
    name,
    description: String(board?.description ?? 'The queries of queries/, by "throughline honeycomb push".'),
    type: 'flexible',
    layout_generation: 'manual',
    panels,
    // Honeycomb removes what is left out.
    ...(Array.isArray(board?.tags) && { tags: board.tags }),
    ...(Array.isArray(board?.preset_filters) && { preset_filters: board.preset_filters }),
  };
  if (!dryRun) {
    if (board) await api.send('PUT', `/1/boards/${encodeURIComponent(String(board.id))}`, body);
    else await api.send('POST', '/1/boards', body);
  }
  return board
    ? { what: 'board', name, state: 'update', because: 'its queries changed' }
    : { what: 'board', name, state: 'create' };
}
