// Strict check of manifests, without a server: node manifests.mjs 1.20|current < manifests
//
// Every field must be one that the API has, of the right type (the generated models of
// Kubernetes' own client, of that version), and what the API requires must be there (the
// schemas of kubernetes-models, current only). Exit status 1: a fault, each on a line.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const yaml = require('js-yaml');
const version = process.argv[2];
const here = path.dirname(new URL(import.meta.url).pathname);
const folder = (name, ...rest) => path.join(here, 'node_modules', name, ...rest);

const models = version === '1.20'
  ? require(folder('client-node-1.20', 'dist/gen/model/models.js'))
  : await import(pathToFileURL(folder('@kubernetes/client-node', 'dist/gen/models/all.js')));

const faults = [];
const SCALARS = new Set(['string', 'number', 'boolean']);

function checkList(value, type, where) {
  if (!Array.isArray(value)) return faults.push(`${where}: not a list`);
  return value.forEach((each, i) => check(each, type, `${where}[${i}]`));
}

function isMap(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkMap(value, type, where) {
  if (!isMap(value)) return faults.push(`${where}: not a map`);
  return Object.entries(value).forEach(([name, each]) => check(each, type, `${where}.${name}`));
}

function checkModel(value, type, where) {
  const model = models[type];
  if (!model?.getAttributeTypeMap) return; // a date, or anything at all
  if (!isMap(value)) {
    faults.push(`${where}: wants ${type}`);
    return;
  }
  const fields = new Map(model.getAttributeTypeMap().map((a) => [a.baseName, a.type]));
  for (const [name, each] of Object.entries(value)) {
    if (fields.has(name)) check(each, fields.get(name), `${where}.${name}`);
    else faults.push(`${where}.${name}: no field of ${type}`);
  }
}

function check(value, type, where) {
  if (value === null || value === undefined) return;
  const list = /^Array<(.*)>$/.exec(type);
  const map = /^\{ \[key: string\]: (.*?);? ?\}$/.exec(type);
  if (list) checkList(value, list[1], where);
  else if (map) checkMap(value, map[1], where);
  else if (SCALARS.has(type)) {
    if (typeof value !== type) faults.push(`${where}: ${typeof value}, wants ${type}`);
  } else if (type === 'IntOrString') {
    if (!['string', 'number'].includes(typeof value)) faults.push(`${where}: wants int or string`);
  } else checkModel(value, type, where);
}

const CORE = /^(v1|[a-z]+\/v\w+|[\w.]+\.k8s\.io\/v\w+)$/;

function typeOf(document) {
  const parts = document.apiVersion.split('/').pop();
  return parts[0].toUpperCase() + parts.slice(1) + document.kind;
}

function strict(document, where) {
  const type = typeOf(document);
  if (models[type]) check(document, type, where);
  else faults.push(`${where}: Kubernetes ${version} has no ${document.apiVersion} ${document.kind}`);
}

async function required(document, where) {
  const [group, v] = document.apiVersion.includes('/') ? document.apiVersion.split('/')
    : ['', document.apiVersion];
  const custom = group === 'monitoring.coreos.com';
  const root = custom ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
  try {
    const module = await import(path.posix.join(root, group, v, document.kind));
    new module[document.kind](document).validate();
  } catch (error) {
    faults.push(`${where}: ${error.message}`);
  }
}

// Long values are broken into lines, which a server takes.
function unfold(document) {
  if (document.kind !== 'Secret') return document;
  const data = Object.entries(document.data ?? {})
    .map(([name, value]) => [name, value.replace(/\s/g, '')]);
  return { ...document, data: Object.fromEntries(data) };
}

const documents = yaml.loadAll(fs.readFileSync(0, 'utf8')).filter(Boolean).map(unfold);
for (const document of documents) {
  const where = `${document.kind}/${document.metadata?.name}`;
  const core = CORE.test(document.apiVersion);
  if (core) strict(document, where);
  if (version !== '1.20' || !core) await required(document, where);
}
for (const fault of faults) console.log(fault);
console.log(`${documents.length} documents, ${faults.length} faults`);
process.exit(faults.length > 0 || documents.length === 0 ? 1 : 0);
