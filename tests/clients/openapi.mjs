// GET /openapi.json, judged by a public validator: CAIRN_URL.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';

const validator = new Validator();
const fetched = async () => (await fetch(`${process.env.CAIRN_URL}/openapi.json`)).json();

test('the document is one of OpenAPI', async () => {
  const { valid, errors } = await validator.validate(await fetched());
  assert.equal(errors, undefined);
  assert.ok(valid);
  assert.equal(validator.version, '3.1');
});

test('one that is none would be found', async () => {
  const document = await fetched();
  document.paths['/api/search'].post.parameters = [{ name: 'q' }];
  assert.equal((await validator.validate(document)).valid, false);
});

test('every reference leads somewhere, and every operation has a name of its own', async () => {
  const document = await fetched();
  const names = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((operation) => operation.operationId));
  assert.equal(new Set(names).size, names.length);
  for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = reference.split('/').reduce((at, name) => at?.[name], document);
    assert.ok(found, reference);
  }
});
