// The public driver of Neo4j, unchanged, against a running stack: BOLT_URL, BOLT_USER,
// BOLT_PASSWORD. It asks what the graph explorer asked; the graph is that of
// tests/system/test_bolt.py: 25 nodes :BoltPerson, each KNOWS the next, person 0 knows all.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import neo4j from 'neo4j-driver';

const { BOLT_URL: url, BOLT_USER: user, BOLT_PASSWORD: password } = process.env;
const auth = user ? neo4j.auth.basic(user, password) : undefined;
const plain = { disableLosslessIntegers: true };
const driver = neo4j.driver(url, auth, plain);
after(() => driver.close());

const ask = async (query, parameters, options) => {
  const session = driver.session(options);
  try {
    return await session.run(query, parameters);
  } finally {
    await session.close();
  }
};
const only = (result, key) => result.records.map((record) => record.get(key));
const failing = (promise, code) =>
  assert.rejects(promise, (error) => {
    assert.equal(error.code, code, error.message);
    return true;
  });

test('the server is there', async () => {
  const info = await driver.getServerInfo();
  assert.match(info.agent, /^Neo4j\/5/);
  assert.equal(await driver.supportsMultiDb(), true);
  assert.equal(await driver.verifyAuthentication(), true);
});

test('RETURN 1', async () => {
  const result = await ask('RETURN 1');
  assert.deepEqual(result.records[0].keys, ['1']);
  assert.deepEqual(only(result, '1'), [1]);
  assert.equal(result.summary.queryType, 'r');
});

test('values go there and back', async () => {
  const given = { a: 'naïve', b: [1, 2.5, null, true], c: { d: 'e' }, big: 2 ** 40 };
  assert.deepEqual(only(await ask('RETURN $given AS given', { given }), 'given'), [given]);
});

test('labels, counts', async () => {
  const labels = only(await ask('CALL db.labels() YIELD label RETURN label'), 'label');
  assert.ok(labels.includes('BoltPerson'));
  const count = await ask('MATCH (n:BoltPerson) RETURN count(n) AS count');
  assert.deepEqual(only(count, 'count'), [25]);
});

test('the schema is drawn', async () => {
  const drawn = await ask('CALL db.schema.visualization()');
  assert.deepEqual(drawn.records[0].keys, ['nodes', 'relationships']);
  const person = drawn.records[0].get('nodes').find((n) => n.labels[0] === 'BoltPerson');
  assert.ok(neo4j.isNode(person) && person.identity < 0);
  assert.equal(person.properties.name, 'BoltPerson');
  const knows = drawn.records[0].get('relationships').find((r) => r.type === 'BOLT_KNOWS');
  assert.ok(neo4j.isRelationship(knows));
  assert.deepEqual([knows.start, knows.end], [person.identity, person.identity]);
});

test('a plan', async () => {
  const plan = await ask('EXPLAIN MATCH (n:BoltPerson) RETURN n');
  assert.deepEqual(only(plan, 'operator'),
    ['NodeByLabelScan', 'Projection', 'ProduceResults']);
});

test('pages of nodes', async () => {
  const page = await ask('MATCH (n:BoltPerson) RETURN n ORDER BY n.number SKIP 20 LIMIT 10');
  const nodes = only(page, 'n');
  assert.deepEqual(nodes.map((n) => n.properties.number), [20, 21, 22, 23, 24]);
  assert.ok(nodes.every((n) => neo4j.isNode(n) && n.labels.includes('BoltPerson')));
});

test('a node by its id, by its element id', async () => {
  const [node] = only(await ask('MATCH (n:BoltPerson {number: 3}) RETURN n'), 'n');
  assert.equal(node.elementId, 'bolt-3');
  const byId = await ask('MATCH (n) WHERE id(n) = $id RETURN n', { id: node.identity });
  assert.equal(only(byId, 'n')[0].elementId, 'bolt-3');
  const other = await ask('MATCH (n) WHERE elementId(n) = $id RETURN n', { id: 'bolt-3' });
  assert.equal(only(other, 'n')[0].identity, node.identity);
});

test('neighbours and paths', async () => {
  const result = await ask(
    'MATCH (n:BoltPerson {number: $n})-[r:BOLT_KNOWS]-(m) RETURN r, m ORDER BY m.number',
    { n: 5 });
  assert.deepEqual(only(result, 'm').map((m) => m.properties.number), [0, 4, 6]);
  assert.ok(only(result, 'r').every((r) => neo4j.isRelationship(r)));
  assert.equal(result.records[1].get('r').endNodeElementId, 'bolt-5');
  const [path] = only(await ask(
    'MATCH p = (:BoltPerson {number: 7})-[:BOLT_KNOWS*2]->(:BoltPerson {number: 9}) RETURN p'),
  'p');
  assert.ok(neo4j.isPath(path));
  assert.deepEqual(path.segments.map((s) => s.end.properties.number), [8, 9]);
});

test('a result is fetched in pieces', async () => {
  const small = neo4j.driver(url, auth, { ...plain, fetchSize: 7 });
  const session = small.session();
  try {
    const result = await session.run('UNWIND range(1, 100) AS i RETURN i');
    assert.deepEqual(only(result, 'i'), Array.from({ length: 100 }, (_, i) => i + 1));
  } finally {
    await session.close();
    await small.close();
  }
});

test('errors have their codes, and the session goes on', async () => {
  const session = driver.session();
  try {
    await failing(session.run('MATCH (n RETURN n'), 'Neo.ClientError.Statement.SyntaxError');
    await failing(session.run('CREATE (n:Bad) RETURN n'),
      'Neo.ClientError.Statement.AccessMode');
    assert.deepEqual(only(await session.run('RETURN 2 AS two'), 'two'), [2]);
  } finally {
    await session.close();
  }
  await failing(ask('RETURN 1', {}, { database: 'another' }),
    'Neo.ClientError.Database.DatabaseNotFound');
});

test('transactions', async () => {
  const session = driver.session({ database: 'neo4j' });
  try {
    const read = await session.executeRead(async (tx) => {
      const first = await tx.run('RETURN 1 AS i');
      const second = await tx.run('RETURN 2 AS i');
      return [...only(first, 'i'), ...only(second, 'i')];
    });
    assert.deepEqual(read, [1, 2]);
    const tx = session.beginTransaction();
    assert.deepEqual(only(await tx.run('RETURN 3 AS i'), 'i'), [3]);
    await tx.commit();
    const other = session.beginTransaction();
    await other.run('RETURN 4 AS i');
    await other.rollback();
  } finally {
    await session.close();
  }
});

test('many at once', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) =>
    ask('RETURN $i AS i', { i })));
  assert.deepEqual(answers.map((a) => only(a, 'i')[0]), Array.from({ length: 50 }, (_, i) => i));
});

test('by routing', async () => {
  const routed = neo4j.driver(url.replace('bolt', 'neo4j'), auth, plain);
  try {
    const { records } = await routed.executeQuery('RETURN 5 AS five');
    assert.equal(records[0].get('five'), 5);
  } finally {
    await routed.close();
  }
});

test('a wrong password is none', { skip: !user }, async () => {
  const wrong = neo4j.driver(url, neo4j.auth.basic(user, 'wrong-password-of-nobody'), plain);
  try {
    await failing(wrong.verifyConnectivity(), 'Neo.ClientError.Security.Unauthorized');
  } finally {
    await wrong.close();
  }
});
