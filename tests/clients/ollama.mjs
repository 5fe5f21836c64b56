// The public client of Ollama against a running gateway: CAIRN_URL, MODEL, DIMENSION.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Ollama } from 'ollama';

const { CAIRN_URL: host, MODEL: model } = process.env;
const dimension = Number(process.env.DIMENSION);
const ollama = new Ollama({ host });

const length = (vector) => Math.hypot(...vector);
const near = (a, b, within) => assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);
const refused = (call, status, message) =>
  assert.rejects(call, (error) => {
    assert.equal(error.name, 'ResponseError');
    assert.equal(error.status_code, status);
    assert.match(error.message, message);
    assert.equal(typeof error.error, 'string');
    return true;
  });

test('embed: many texts, one text, no text', async () => {
  const many = await ollama.embed({ model, input: ['a garden', 'a bicycle'] });
  assert.equal(many.model, model);
  assert.deepEqual(many.embeddings.map((v) => v.length), [dimension, dimension]);
  for (const vector of many.embeddings) near(length(vector), 1, 1e-4);
  assert.ok(many.total_duration > 0);
  assert.ok(many.prompt_eval_count > 0);
  const one = await ollama.embed({ model, input: 'a garden' });
  assert.deepEqual(one.embeddings[0], many.embeddings[0]);
  assert.deepEqual((await ollama.embed({ model, input: '' })).embeddings, []);
  assert.deepEqual((await ollama.embed({ model, input: [] })).embeddings, []);
});

test('embed: what a server that loads models is told is taken', async () => {
  const { embeddings } = await ollama.embed({
    model: `${model}:latest`, input: 'a garden', truncate: true, keep_alive: '5m',
    options: { num_ctx: 512, temperature: 0 }, dimensions: 64,
  });
  assert.equal(embeddings[0].length, 64);
  near(length(embeddings[0]), 1, 1e-4);
});

test('embed: refusals are ResponseErrors with one sentence', async () => {
  await refused(ollama.embed({ model: 'no-such', input: 'x' }), 404,
    /^model 'no-such' not found$/);
  await refused(ollama.embed({ model: 'no-such', input: '' }), 404,
    /^model 'no-such' not found$/);
  await refused(ollama.embed({ model, input: 'word '.repeat(20000), truncate: false }), 400,
    /^the input length exceeds the context length$/);
  await refused(ollama.embed({ model, input: [1, 2] }), 400, /input/);
  await refused(ollama.embed({ model }), 400, /input/);
});

test('embeddings: the older call', async () => {
  const { embedding } = await ollama.embeddings({ model, prompt: 'a garden' });
  assert.equal(embedding.length, dimension);
  assert.deepEqual((await ollama.embeddings({ model, prompt: '' })).embedding, []);
  await refused(ollama.embeddings({ model: 'no-such', prompt: 'x' }), 404, /not found/);
});

test('list, show and version tell of the model that there is', async () => {
  const { models } = await ollama.list(); // others may be known since a generation was built
  const own = models.find((one) => one.name === `${model}:latest`);
  assert.equal(own.model, `${model}:latest`);
  assert.match(own.digest, /^[0-9a-f]{64}$/);
  assert.ok(new Date(own.modified_at) > 0);
  assert.ok(own.details.family.length > 0);
  for (const name of [model, `${model}:latest`]) {
    const shown = await ollama.show({ model: name });
    assert.deepEqual(shown.capabilities, ['embedding']);
    assert.deepEqual(shown.details, own.details);
    const family = shown.model_info['general.architecture'];
    assert.equal(shown.model_info[`${family}.embedding_length`], dimension);
    assert.equal(shown.model_info['cairn.fingerprint'], own.digest);
  }
  await refused(ollama.show({ model: 'no-such' }), 404, /^model 'no-such' not found$/);
  await refused(ollama.show({}), 400, /^model is required$/);
  assert.equal((await ollama.version()).version, process.env.VERSION);
});
