// Nobody runs this: the compiler must take it, and must refuse each line that is marked.
import { connect, data, pages, type Schemas } from './index.js';

const cairn = connect({ url: 'http://127.0.0.1:8080' });

export async function titles(): Promise<string[]> {
  const answer = await data(cairn.POST('/api/search', { body: { query: 'leave' } }));
  const first: Schemas['SearchResult'] | undefined = answer.results[0];
  const all = first ? [first.document_title] : [];
  for await (const one of pages(
    (query) => data(cairn.GET('/api/documents', { params: { query } })),
    (page) => page.documents)) all.push(one.title);
  return all;
}

// @ts-expect-error there is no such path
void cairn.GET('/api/nothing');
// @ts-expect-error query is missing
void cairn.POST('/api/search', { body: {} });
// @ts-expect-error no such mode
void cairn.POST('/api/search', { body: { query: 'x', config: { mode: 'fast' } } });
