// What went wrong, in words: what happened, and what one can do. The server's own
// sentence says it where the code is one of a single request.
const byCode: Record<string, string> = {
    unreachable: "The server cannot be reached. Check the connection and try again.",
    authentication_required: "Sign in to see this.",
    invalid_credentials: "The name or the password is wrong.",
    account_locked: "Too many wrong passwords: this name is locked for a while.",
    session_expired: "Your session has ended. Sign in again.",
    session_ended: "Your session has ended. Sign in again.",
    csrf_refused: "This page is out of date. Load it again and repeat what you did.",
    forbidden: "Your role does not allow this.",
    rate_limited: "That was too much in a short time.",
    too_large: "This is larger than the server takes.",
    overloaded: "The server is busy just now. Try again in a moment.",
    maintenance: "Nothing can be changed just now: the system is under maintenance.",
    deadline_exceeded: "It took too long and was given up. Try again, or ask for less.",
    internal_error: "The server had a fault of its own. The operators can find it by the number below.",
};

const byStatus: Record<number, string> = {
    401: "Sign in to see this.",
    403: "Your role does not allow this.",
    404: "There is nothing here, or nothing that you may see.",
    413: "This is larger than the server takes.",
    429: "That was too much in a short time.",
    502: "A part of the system gave an answer that makes no sense.",
    503: "A part of the system is out of reach just now. Try again in a moment.",
    504: "It took too long and was given up. Try again, or ask for less.",
};

/** A sentence begins with a capital letter and ends with a full stop. */
export function sentence(text: string): string {
    const trimmed = text.trim();
    if (!trimmed) return "";
    const first = trimmed[0]!.toUpperCase() + trimmed.slice(1);
    return /[.!?…]$/.test(first) ? first : first + ".";
}

export function inWords(code: string, status: number, said: string): string {
    const known = byCode[code];
    if (known) return known;
    // a fault of ours or of the request: the server names what is wrong with it
    if (said && status !== 0 && status < 500) return sentence(said);
    return byStatus[status] ?? (sentence(said) || "Something went wrong.");
}

/** "in 2 minutes", for Retry-After. */
export function later(seconds: number): string {
    if (seconds < 90) return `in ${Math.max(1, Math.round(seconds))} seconds`;
    return `in ${Math.round(seconds / 60)} minutes`;
}
