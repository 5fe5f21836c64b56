// The public client of the Model Context Protocol against `cairn mcp`: CAIRN, CAIRN_URL,
// CAIRN_API_KEY.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const { CAIRN: command, CAIRN_URL, CAIRN_API_KEY, HOME, PATH } = process.env;
const { ASAN_OPTIONS, LSAN_OPTIONS } = process.env;
const client = new Client({ name: 'cairn-test', version: '1.0.0' });
const call = (name, args) => client.callTool({ name, arguments: args });

test.before(() => client.connect(new StdioClientTransport({
  command,
  args: ['mcp'],
  env: { CAIRN_URL, CAIRN_API_KEY, HOME, PATH, ASAN_OPTIONS, LSAN_OPTIONS },
})));
test.after(() => client.close());

test('what the server says of itself', async () => {
  assert.deepEqual(Object.keys(client.getServerCapabilities()).sort(), ['resources', 'tools']);
  assert.equal(client.getServerVersion().name, 'cairn');
  assert.match(client.getInstructions(), /Search first/);
  await client.ping();
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).sort(),
    ['define_term', 'get_document', 'graph_neighbors', 'search']);
  for (const { annotations } of tools) assert.equal(annotations.readOnlyHint, true);
});

test('a search, and the document that it found', async () => {
  const found = await call('search', { query: 'reset the password of staff', max_results: 3 });
  assert.ok(!found.isError);
  const first = found.structuredContent.results.find(
    (hit) => hit.document_id === 'university-password-guide');
  assert.match(found.content[0].text, /IT Staff Guide.*\(document_id university-password-guide\)/);
  const read = await call('get_document', { id: first.document_id, max_chars: 100 });
  assert.equal([...read.structuredContent.text].length, 100);
  assert.equal(read.structuredContent.next_offset, 100);
  const none = await call('get_document', { id: 'no-such' });
  assert.equal(none.isError, true);
  assert.match(none.content[0].text, /no.*document/i);
});

test('a term and a node', async () => {
  const term = await call('define_term', { term: 'mcp quire' });
  assert.match(term.content[0].text, /^mcp quire \(en, .*twenty-four sheets/);
  const near = await call('graph_neighbors', { name: 'Mcp Ada', limit: 1 });
  assert.equal(near.structuredContent.node.id, 'mcp-ada');
  assert.equal(near.structuredContent.edges.length, 1);
  assert.match(near.content[0].text, /-MCP_KNOWS-> Mcp B.* \(mcp-b.*, McpHuman\)/);
  const next = await call('graph_neighbors',
    { id: 'mcp-ada', limit: 1, cursor: near.structuredContent.next_cursor });
  assert.notEqual(next.structuredContent.edges[0].id, near.structuredContent.edges[0].id);
});

test('documents as resources', async () => {
  const { resourceTemplates } = await client.listResourceTemplates();
  assert.equal(resourceTemplates[0].uriTemplate, 'cairn://documents/{id}');
  const { resources } = await client.listResources();
  assert.ok(resources.length > 0);
  const uri = 'cairn://documents/university-password-guide';
  const { contents } = await client.readResource({ uri });
  assert.match(contents[0].text, /^IT Staff Guide/);
  await assert.rejects(client.readResource({ uri: 'cairn://documents/no-such' }),
    { code: -32002 });
});

test('what is asked wrongly', async () => {
  await assert.rejects(call('search', { query: '' }), { code: -32602 });
  await assert.rejects(call('destroy', {}), { code: -32602 });
});

test('many at once, one of them cancelled', async () => {
  const stop = new AbortController();
  const cancelled = client.callTool({ name: 'search', arguments: { query: 'staff' } },
    undefined, { signal: stop.signal });
  const others = Array.from({ length: 20 }, (_, i) => call('search', { query: `staff ${i}` }));
  stop.abort('no longer wanted');
  await assert.rejects(cancelled);
  for (const { isError } of await Promise.all(others)) assert.ok(!isError);
});
