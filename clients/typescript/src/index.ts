/** Cairn's HTTP API: every path and shape of /openapi.json, typed, over fetch. */
import createClient, { type Client, type ClientOptions, type Middleware } from 'openapi-fetch';
import type { components, operations, paths } from './schema.js';

export type { components, operations, paths };
export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];
export type Job = Schemas['Job'];
export type Cairn = Client<paths>;

export interface CairnOptions extends Omit<ClientOptions, 'baseUrl' | 'headers'> {
  /** Of the gateway; in a page that it serves itself "" will do. */
  url: string;
  /** A bearer token or an API key; at most one. Without both: the session's cookie. */
  token?: string;
  apiKey?: string;
}

/** An answer that is none of 2xx. `code` is stable, the message is for people. */
export class CairnError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | undefined,
    readonly requestId: string | undefined,
    /** Seconds until another try makes sense. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
    this.name = 'CairnError';
  }
}

async function errorOf(response: Response): Promise<CairnError> {
  const problem: Partial<Problem> = await response.json().catch(() => ({}));
  const after = Number(response.headers.get('Retry-After') ?? NaN);
  return new CairnError(
    response.status,
    problem.code ?? 'unknown',
    problem.error ?? `HTTP ${response.status}`,
    problem.field,
    problem.request_id ?? response.headers.get('X-Request-ID') ?? undefined,
    Number.isFinite(after) ? after : undefined,
  );
}

/**
 * A client whose calls throw CairnError when the answer is none of 2xx:
 *
 *     const { data } = await cairn.POST('/api/search', { body: { query: 'leave' } });
 */
export function connect({ url, token, apiKey, ...options }: CairnOptions): Cairn {
  if (token && apiKey) throw new TypeError('a token or an API key, not both');
  const identity: Middleware = {
    onRequest({ request }) {
      if (token) request.headers.set('Authorization', `Bearer ${token}`);
      if (apiKey) request.headers.set('X-API-Key', apiKey);
      return request;
    },
    async onResponse({ response }) {
      if (!response.ok) throw await errorOf(response);
    },
  };
  // A redirection would take the identity elsewhere.
  const cairn = createClient<paths>({ redirect: 'error', ...options, baseUrl: url });
  cairn.use(identity);
  return cairn;
}

/** What a call gave; for those that throw it cannot be missing. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

/** A client of the same server for who has this name and password. */
export async function signIn(
  options: Omit<CairnOptions, 'token' | 'apiKey'>,
  username: string,
  password: string,
): Promise<Cairn> {
  const body = { username, password };
  const entry = await data(connect(options).POST('/api/auth/login', { body }));
  if (!entry.access_token) throw new TypeError('this server gives no tokens, sessions only');
  return connect({ ...options, token: entry.access_token });
}

interface Page {
  pagination?: { has_next: boolean };
  next_cursor?: string | null;
}

/**
 * The items of all pages; `fetchPage` is given what to put in the query:
 *
 *     for await (const one of pages((query) =>
 *       data(cairn.GET('/api/documents', { params: { query } })), (page) => page.documents))
 */
export async function* pages<P extends object, T>(
  fetchPage: (query: { page?: number; cursor?: string }) => Promise<P>,
  itemsOf: (page: P) => readonly T[],
): AsyncGenerator<T, void, undefined> {
  let query: { page?: number; cursor?: string } = {};
  for (let number = 2; ; number++) {
    const page: P & Page = await fetchPage(query);
    yield* itemsOf(page);
    if (page.next_cursor) query = { cursor: page.next_cursor };
    else if (page.pagination?.has_next) query = { page: number };
    else return;
  }
}

/** Stores a file, of which the server makes a document. */
export async function upload(
  cairn: Cairn,
  file: Blob,
  about: { name: string; id?: string; title?: string; collection?: string; language?: string;
    metadata?: Record<string, unknown>; refresh?: boolean },
): Promise<Schemas['Stored']> {
  const { name, metadata, refresh, ...texts } = about;
  const form = new FormData();
  for (const [key, value] of Object.entries(texts)) if (value !== undefined) form.set(key, value);
  if (metadata) form.set('metadata', JSON.stringify(metadata));
  form.set('file', file, name);
  return data(cairn.POST('/api/documents', {
    params: { query: refresh === undefined ? {} : { refresh } },
    body: form as never, // of the two types that the document has for it, not the JSON
  }));
}

/** Lines of NDJSON: what /api/documents/batch and /api/graph/import take. */
export function lines(items: Iterable<unknown>): string {
  let all = '';
  for (const item of items) all += JSON.stringify(item) + '\n';
  return all;
}

/** Follows a job to its end, telling each state; the last one is returned. */
export async function followJob(
  cairn: Cairn,
  id: string,
  onProgress: (job: Job) => void = () => {},
  signal?: AbortSignal,
): Promise<Job> {
  const { response } = await cairn.GET('/api/jobs/{id}/events', {
    params: { path: { id } }, parseAs: 'stream', ...(signal ? { signal } : {}),
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let begun = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return data(cairn.GET('/api/jobs/{id}', { params: { path: { id } } }));
    begun += value;
    const events = begun.split(/\r?\n\r?\n/);
    begun = events.pop()!;
    for (const event of events) {
      const job = jobOf(event);
      if (job) onProgress(job);
    }
  }
}

function jobOf(event: string): Job | undefined {
  const parts = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
  return parts.length > 0 ? JSON.parse(parts.map((line) => line.slice(5)).join('\n')) : undefined;
}
