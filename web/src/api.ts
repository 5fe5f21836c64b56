// The one way to the API: the session's cookie goes along by itself, the token against
// forged requests is added to what changes something, and errors come back in words.
import type { components } from "./api/schema";
import { inWords, later } from "./words";

export type Schemas = components["schemas"];

export class ApiError extends Error {
    constructor(
        readonly status: number, // 0: no answer came
        readonly code: string,
        message: string,
        readonly field: string | null = null,
        readonly requestId: string | null = null,
        readonly retryAfter: number | null = null,
    ) {
        super(message);
    }
}

export type QueryValue = string | number | boolean | null | undefined;

export interface Options {
    query?: Record<string, QueryValue | readonly string[]>;
    signal?: AbortSignal;
    headers?: Record<string, string>;
}

let csrfToken: string | null = null;
let onSessionEnd: () => void = () => {};

export function setCsrf(token: string | null): void {
    csrfToken = token;
}

/** Called when an answer says that the session is over. */
export function whenSessionEnds(what: () => void): void {
    onSessionEnd = what;
}

export function address(path: string, query: Options["query"] = {}): string {
    const parts = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
        if (value === null || value === undefined || value === "") continue;
        if (Array.isArray(value)) for (const one of value) parts.append(name, one);
        else parts.set(name, String(value));
    }
    const text = parts.toString();
    return path + (text ? "?" + text : "");
}

/** A segment of a path. */
export function segment(text: string): string {
    return encodeURIComponent(text);
}

async function errorOf(answer: Response): Promise<ApiError> {
    let problem: { code?: unknown; error?: unknown; field?: unknown; request_id?: unknown } = {};
    try {
        problem = (await answer.json()) as typeof problem;
    } catch {
        // not from the gateway: a proxy in front of it, perhaps
    }
    return problemError(answer.status, problem, answer.headers.get("Retry-After"));
}

export function problemError(
    status: number,
    problem: { code?: unknown; error?: unknown; field?: unknown; request_id?: unknown },
    retry: string | null = null,
): ApiError {
    const code = typeof problem.code === "string" ? problem.code : "";
    const said = typeof problem.error === "string" ? problem.error : "";
    const seconds = retry && /^\d+$/.test(retry) ? Number(retry) : null;
    let words = inWords(code, status, said);
    if (seconds !== null && (status === 429 || status === 423)) words += ` Try again ${later(seconds)}.`;
    return new ApiError(
        status,
        code,
        words,
        typeof problem.field === "string" ? problem.field : null,
        typeof problem.request_id === "string" ? problem.request_id : null,
        seconds,
    );
}

const ended = new Set(["session_expired", "session_ended"]);

export function headersFor(method: string, more: Record<string, string> = {}): Record<string, string> {
    const headers: Record<string, string> = { Accept: "application/json", ...more };
    if (method !== "GET" && method !== "HEAD" && csrfToken) headers["X-CSRF-Token"] = csrfToken;
    return headers;
}

/** The answer as it comes, for streams and files; an error answer is thrown. */
export async function request(
    method: string,
    path: string,
    body: BodyInit | null,
    options: Options = {},
): Promise<Response> {
    let answer: Response;
    try {
        answer = await fetch(address(path, options.query), {
            method,
            body,
            headers: headersFor(method, options.headers),
            credentials: "same-origin",
            ...(options.signal ? { signal: options.signal } : {}),
        });
    } catch (fault) {
        if (options.signal?.aborted) throw fault;
        throw new ApiError(0, "unreachable", inWords("unreachable", 0, ""));
    }
    if (answer.ok) return answer;
    const error = await errorOf(answer);
    if (ended.has(error.code)) onSessionEnd();
    throw error;
}

async function json<T>(method: string, path: string, body: unknown, options: Options = {}): Promise<T> {
    const headers = { ...options.headers };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await request(method, path, body === undefined ? null : JSON.stringify(body), {
        ...options,
        headers,
    });
    if (answer.status === 204) return undefined as T;
    return (await answer.json()) as T;
}

export const api = {
    get: <T>(path: string, options?: Options) => json<T>("GET", path, undefined, options),
    post: <T>(path: string, body?: unknown, options?: Options) => json<T>("POST", path, body, options),
    put: <T>(path: string, body?: unknown, options?: Options) => json<T>("PUT", path, body, options),
    del: <T>(path: string, options?: Options) => json<T>("DELETE", path, undefined, options),
};

/** Whether somebody gave the request up, which is no fault. */
export function wasAborted(fault: unknown): boolean {
    return fault instanceof DOMException && fault.name === "AbortError";
}

/** A form with files, or a file alone: `progress` is told the share that has been sent. */
export function upload<T>(
    path: string,
    form: FormData | Blob,
    progress: (share: number) => void,
    signal?: AbortSignal,
): Promise<T> {
    return new Promise((resolve, reject) => {
        const call = new XMLHttpRequest();
        call.open("POST", path);
        for (const [name, value] of Object.entries(headersFor("POST"))) call.setRequestHeader(name, value);
        call.responseType = "json";
        call.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0);
        call.onload = () => {
            if (call.status < 300) resolve(call.response as T);
            else reject(problemError(call.status, call.response ?? {}, call.getResponseHeader("Retry-After")));
        };
        call.onerror = () => reject(new ApiError(0, "unreachable", inWords("unreachable", 0, "")));
        call.onabort = () => reject(new DOMException("given up", "AbortError"));
        signal?.addEventListener("abort", () => call.abort(), { once: true });
        if (signal?.aborted) call.abort();
        else call.send(form);
    });
}
