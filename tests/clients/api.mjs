// The TypeScript client of clients/typescript, as it is built, against a running gateway:
// CAIRN_URL, CLIENT (its directory), KEY, USER_NAME, PASSWORD.
import assert from 'node:assert/strict';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

const { CAIRN_URL: url, CLIENT, KEY, USER_NAME, PASSWORD } = process.env;
const { CairnError, connect, data, followJob, lines, pages, signIn, upload } =
  await import(pathToFileURL(`${CLIENT}/dist/index.js`));
const cairn = connect({ url, apiKey: KEY });
const collection = 'client-ts';
const documents = ['one', 'two', 'three', 'four', 'five'].map((word) => ({
  id: `client-ts-${word}`, title: word, collection,
  sections: [{ title: '', text: `the ${word}th zeppelin` }],
}));

test('a name and a password', async () => {
  const own = await signIn({ url }, USER_NAME, PASSWORD);
  const me = await data(own.GET('/api/auth/me'));
  assert.equal(me.username, USER_NAME);
  await assert.rejects(signIn({ url }, USER_NAME, 'Wrong-Horse-4242'),
    (error) => error instanceof CairnError && error.status === 401 && error.code.length > 0);
});

test('documents by a job, its events, and their pages', async () => {
  const { response } = await cairn.POST('/api/documents/batch', {
    body: lines(documents), bodySerializer: (text) => text,
    headers: { 'Content-Type': 'application/x-ndjson' }, parseAs: 'stream',
  });
  assert.equal(response.status, 202);
  const told = [];
  const job = await followJob(cairn, (await response.json()).job_id, (one) => told.push(one));
  assert.deepEqual([job.state, job.done, job.failed], ['done', 5, 0]);
  assert.equal(told.at(-1).state, 'done');
  const seen = [];
  for await (const one of pages(
    (query) => data(cairn.GET('/api/documents',
      { params: { query: { ...query, per_page: 2, collection } } })),
    (page) => page.documents)) seen.push(one.id);
  assert.deepEqual(seen.sort(), documents.map((one) => one.id).sort());
});

test('a file', async () => {
  const stored = await upload(cairn, new Blob(['# Airship\n\nhow to steer a dirigible']),
    { name: 'a "ship".md', id: 'client-ts-file', collection, metadata: { priority: 2 },
      refresh: true });
  assert.equal(stored.document_id, 'client-ts-file');
  const answer = await data(cairn.POST('/api/search',
    { body: { query: 'steer dirigible', filters: { collection } } }));
  assert.equal(answer.results[0].document_id, 'client-ts-file');
  const path = { id: 'client-ts-file' };
  assert.equal((await data(cairn.DELETE('/api/documents/{id}', { params: { path } }))).deleted, true);
});

test('the graph', async () => {
  const node = { id: 'client-ts-node', labels: ['ClientTs'], properties: { name: 'Ünique' } };
  await cairn.POST('/api/graph/import', {
    params: { query: { format: 'ndjson', refresh: 'true' } }, body: lines([node]),
    bodySerializer: (text) => text, headers: { 'Content-Type': 'application/x-ndjson' },
    parseAs: 'text',
  });
  const body = { query: 'MATCH (n:ClientTs) WHERE n.name = $name RETURN n.name',
    parameters: { name: 'Ünique' } };
  assert.deepEqual((await data(cairn.POST('/api/graph/query', { body }))).rows, [['Ünique']]);
  await cairn.DELETE('/api/graph/nodes/{id}', { params: { path: { id: node.id } } });
});

test('what is refused', async () => {
  const refused = (call, expected) => assert.rejects(call, (error) => {
    assert.ok(error instanceof CairnError, `${error}`);
    assert.deepEqual({ status: error.status, code: error.code, field: error.field }, expected);
    assert.ok(error.requestId && error.message);
    return true;
  });
  await refused(cairn.GET('/api/documents/{id}', { params: { path: { id: 'a/../no-such' } } }),
    { status: 404, code: 'not_found', field: undefined });
  await refused(cairn.POST('/api/search', { body: { query: 'x', config: { max_results: -1 } } }),
    { status: 400, code: 'invalid_request', field: 'config.max_results' });
  await refused(connect({ url, apiKey: 'cairn_000000000000_no' }).GET('/api/auth/me'),
    { status: 401, code: 'invalid_api_key', field: undefined });
});
