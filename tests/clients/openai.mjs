// The public client of OpenAI against a running gateway: CAIRN_URL, MODEL, DIMENSION.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';

const { CAIRN_URL: host, MODEL: model } = process.env;
const dimension = Number(process.env.DIMENSION);
const openai = new OpenAI({ baseURL: `${host}/v1`, apiKey: 'sk-none', maxRetries: 0 });

const length = (vector) => Math.hypot(...vector);
const near = (a, b, within) => assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);
const refused = (call, kind, expected, message = /./) =>
  assert.rejects(call, (error) => {
    assert.ok(error instanceof kind, `${error}`);
    const { type, param, code } = error;
    assert.deepEqual({ type, param, code },
      { type: 'invalid_request_error', param: null, code: null, ...expected });
    assert.match(error.message, message);
    assert.deepEqual(Object.keys(error.error).sort(), ['code', 'message', 'param', 'type']);
    assert.ok(error.requestID);
    return true;
  });

test('embeddings: as the client asks by itself, in base64', async () => {
  const answer = await openai.embeddings.create({ model, input: ['a garden', 'a bicycle'] });
  assert.equal(answer.object, 'list');
  assert.equal(answer.model, model);
  assert.deepEqual(answer.data.map((d) => [d.object, d.index, d.embedding.length]),
    [['embedding', 0, dimension], ['embedding', 1, dimension]]);
  for (const { embedding } of answer.data) near(length(embedding), 1, 1e-4);
  assert.ok(answer.usage.prompt_tokens > 0);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens);
});

test('embeddings: numbers and base64 say the same', async () => {
  const input = 'a garden';
  const decoded = await openai.embeddings.create({ model, input });
  const numbers = await openai.embeddings.create({ model, input, encoding_format: 'float' });
  const packed = await openai.embeddings.create({ model, input, encoding_format: 'base64' });
  assert.equal(typeof packed.data[0].embedding, 'string');
  const bytes = Buffer.from(packed.data[0].embedding, 'base64');
  assert.equal(bytes.length, 4 * dimension);
  for (let i = 0; i < dimension; i++) {
    assert.equal(Math.fround(numbers.data[0].embedding[i]), bytes.readFloatLE(4 * i));
    assert.equal(decoded.data[0].embedding[i], bytes.readFloatLE(4 * i));
  }
  const plain = await (await fetch(`${host}/v1/embeddings`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model, input }),
  })).json();
  assert.ok(Array.isArray(plain.data[0].embedding)); // float, unless asked otherwise
});

test('embeddings: dimensions and user', async () => {
  const { data } = await openai.embeddings.create(
    { model, input: 'a garden', dimensions: 32, user: 'u-1' });
  assert.equal(data[0].embedding.length, 32);
  near(length(data[0].embedding), 1, 1e-4);
});

test('embeddings: refusals', async () => {
  const create = (body) => openai.embeddings.create({ model, input: 'x', ...body });
  const input = { param: 'input' };
  await refused(create({ model: 'no-such' }), OpenAI.NotFoundError,
    { param: 'model', code: 'model_not_found' }, /'no-such'/);
  await refused(create({ model: undefined }), OpenAI.BadRequestError, { param: 'model' });
  await refused(create({ input: [1, 2, 3] }), OpenAI.BadRequestError, input, /tokens/);
  await refused(create({ input: [[1, 2], [3]] }), OpenAI.BadRequestError, input, /tokens/);
  await refused(create({ input: '' }), OpenAI.BadRequestError, input, /empty/);
  await refused(create({ input: ['a', ''] }), OpenAI.BadRequestError, input, /empty/);
  await refused(create({ input: [] }), OpenAI.BadRequestError, input);
  await refused(create({ input: Array(2049).fill('x') }), OpenAI.BadRequestError, input,
    /2048/);
  await refused(create({ input: 'word '.repeat(20000) }), OpenAI.BadRequestError,
    { ...input, code: 'context_length_exceeded' }, /maximum context length/);
  await refused(create({ encoding_format: 'hex' }), OpenAI.BadRequestError,
    { param: 'encoding_format' }, /float, base64/);
  await refused(create({ dimensions: 0 }), OpenAI.BadRequestError, { param: 'dimensions' });
});

test('embeddings: 2048 texts at once', async () => {
  const input = Array.from({ length: 2048 }, (_, i) => `text ${i % 7}`);
  const { data } = await openai.embeddings.create({ model, input, dimensions: 8 });
  assert.equal(data.length, 2048);
  assert.deepEqual(data[7].embedding, data[0].embedding);
});

test('models: list and retrieve', async () => {
  const listed = [];
  for await (const one of openai.models.list()) listed.push(one);
  const own = listed.find((one) => one.id === model); // others may be known, too
  assert.equal(own.object, 'model');
  assert.ok(own.created > 0);
  assert.equal(typeof own.owned_by, 'string');
  assert.deepEqual(await openai.models.retrieve(model), own);
  assert.deepEqual(await openai.models.retrieve(`${model}:latest`), own);
  await refused(openai.models.retrieve('no/such'), OpenAI.NotFoundError,
    { param: 'model', code: 'model_not_found' }, /'no\/such'/);
});

test('what there is not is refused in the same shape', async () => {
  await refused(openai.get('/nothing'), OpenAI.NotFoundError, {});
  await refused(openai.models.delete(model), OpenAI.APIError,
    { code: 'method_not_supported' });
});
