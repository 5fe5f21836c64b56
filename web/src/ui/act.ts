// Doing something and saying how it went.
import { asError } from "./hooks";
import { toast } from "./Toast";

/** Runs it, says `said` or what went wrong. */
export type Act = (what: () => Promise<unknown>, said: string) => void;

/** What went wrong stays until somebody has read it. */
export function sayFault(fault: unknown): void {
    toast({ text: asError(fault).message, kind: "danger", seconds: 0 });
}

/** `after` is called when something was done. */
export function acting(after: () => void): Act {
    return (what, said) => {
        what().then(() => {
            toast({ text: said });
            after();
        }, sayFault);
    };
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Asks again and again until what is under way has ended. */
export async function awaitEnd<T extends { state: string }>(first: T, next: () => Promise<T>): Promise<T> {
    let now = first;
    while (now.state === "queued" || now.state === "running") {
        await pause(400);
        now = await next();
    }
    return now;
}
