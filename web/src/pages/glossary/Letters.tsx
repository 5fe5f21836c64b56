// A to Z: from a letter to the page on which its terms begin. The list is sorted by the
// terms in small letters, code by code, so that the page is found by halving.
import { useState } from "preact/hooks";
import { api } from "../../api";
import { go, withQuery } from "../../router";
import { asError } from "../../ui/hooks";
import { toast } from "../../ui/Toast";
import type { TermPage } from "./model";

const letters = [..."abcdefghijklmnopqrstuvwxyz"];

/** The first page whose last term is not before the letter. */
export async function pageOfLetter(letter: string, pages: number, lastOf: (page: number) => Promise<string>): Promise<number> {
    let low = 1;
    let high = pages;
    while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if ((await lastOf(middle)).toLowerCase() < letter) low = middle + 1;
        else high = middle;
    }
    return low;
}

export function Letters({ asked, pages, chosen }: { asked: Record<string, string | number>; pages: number; chosen: string }) {
    const [busy, setBusy] = useState("");
    const jump = async (letter: string) => {
        setBusy(letter);
        try {
            const page = await pageOfLetter(letter, pages, async (middle) => {
                const answer = await api.get<TermPage>("/api/glossary", { query: { ...asked, sort: "term", page: middle } });
                return answer.entries.at(-1)?.term ?? "\u{ffff}";
            });
            go(withQuery({ sort: null, page: page === 1 ? null : page, letter }));
        } catch (fault) {
            toast({ text: asError(fault).message, kind: "danger" });
        } finally {
            setBusy("");
        }
    };
    return (
        <nav class="letters" aria-label="Terms by their first letter">
            {letters.map((letter) => (
                <button key={letter} type="button" aria-label={letter.toUpperCase()} aria-pressed={letter === chosen} aria-busy={busy === letter ? "true" : undefined} onClick={() => void jump(letter)}>
                    {letter.toUpperCase()}
                </button>
            ))}
        </nav>
    );
}
