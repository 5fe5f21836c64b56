// Both clients where a student's requests a minute run out: CAIRN_URL, MODEL, TOKEN.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

const { CAIRN_URL: host, TOKEN } = process.env;
const openai = new OpenAI({ baseURL: `${host}/v1`, apiKey: TOKEN, maxRetries: 0 });
const ollama = new Ollama({ host, headers: { Authorization: `Bearer ${TOKEN}` } });

const untilRefused = async (call) => {
  for (let i = 0; i < 500; i++) {
    try {
      await call();
    } catch (error) {
      if ((error.status ?? error.status_code) === 503) continue; // the embedder comes up
      return error;
    }
  }
  throw new Error('five hundred requests were let through');
};

test('openai: a RateLimitError that says when to come again', async () => {
  const error = await untilRefused(() => openai.models.list());
  assert.ok(error instanceof OpenAI.RateLimitError, `${error}`);
  assert.equal(error.type, 'requests');
  assert.equal(error.code, 'rate_limit_exceeded');
  assert.ok(Number(error.headers.get('retry-after')) > 0);
});

test('ollama: a ResponseError of one sentence', async () => {
  const error = await untilRefused(() => ollama.list());
  assert.equal(error.name, 'ResponseError');
  assert.equal(error.status_code, 429);
  assert.equal(typeof error.error, 'string');
});
