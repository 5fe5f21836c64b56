// Both clients against a gateway that wants to know who asks: CAIRN_URL, MODEL, an API key
// that may embed (KEY), one that may only search (NARROW), a student's token (TOKEN).
import assert from 'node:assert/strict';
import test from 'node:test';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

const { CAIRN_URL: host, MODEL: model, KEY, NARROW, TOKEN } = process.env;
const openai = (apiKey) => new OpenAI({ baseURL: `${host}/v1`, apiKey, maxRetries: 5 });
const ollama = (secret) => new Ollama({
  host, headers: secret === undefined ? {} : { Authorization: `Bearer ${secret}` } });
const ask = { model, input: 'a garden' };

test('openai: an API key or a token is its key', async () => {
  for (const secret of [KEY, TOKEN]) {
    assert.equal((await openai(secret).embeddings.create(ask)).data.length, 1);
    assert.equal((await openai(secret).models.retrieve(model)).id, model);
  }
});

test('openai: a wrong key is an AuthenticationError', async () => {
  for (const secret of ['sk-wrong', `${KEY}x`, `${TOKEN}x`]) {
    await assert.rejects(openai(secret).embeddings.create(ask), (error) => {
      assert.ok(error instanceof OpenAI.AuthenticationError, `${error}`);
      assert.equal(error.code, 'invalid_api_key');
      assert.equal(error.type, 'invalid_request_error');
      assert.equal(error.param, null);
      assert.equal(typeof error.error.message, 'string');
      return true;
    });
  }
});

test('openai: a key that may not is a PermissionDeniedError', async () => {
  await assert.rejects(openai(NARROW).embeddings.create(ask), (error) => {
    assert.ok(error instanceof OpenAI.PermissionDeniedError, `${error}`);
    assert.equal(error.type, 'invalid_request_error');
    assert.match(error.message, /embed/);
    return true;
  });
});

test('ollama: a header with a key or a token lets it in', async () => {
  for (const secret of [KEY, TOKEN])
    assert.equal((await ollama(secret).embed(ask)).embeddings.length, 1);
});

test('ollama: everything else is refused in one sentence', async () => {
  for (const [secret, status] of [[undefined, 401], ['wrong', 401], [NARROW, 403]]) {
    await assert.rejects(ollama(secret).embed(ask), (error) => {
      assert.equal(error.name, 'ResponseError');
      assert.equal(error.status_code, status);
      assert.equal(typeof error.error, 'string');
      return true;
    });
  }
});
