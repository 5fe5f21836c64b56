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
