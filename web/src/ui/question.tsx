// The words of a question, and where a text has them. The server finds more than this (it
// knows many languages, and words that are nearly the same): what is said here is only
// which words stand in what one sees.
import type { ComponentChildren } from "preact";

const common = new Set(
    ("about also been could does from have here into just like many more most much only other over some such than that their them " +
        "then there these they this those very were what when where which while will with would your and are but can for has " +
        "her his how its not our she the was who why you").split(" "),
);
const endings = /(ations?|ings?|ies|ied|ers?|es|ed|ly|s|y|e)$/;
// written without spaces between words: not to be taken apart here
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

function folded(text: string): string {
    return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function stem(word: string): string {
    const low = folded(word);
    const base = low.replace(endings, "");
    return (base.length >= 3 ? base : low).replace(/(.)\1$/, "$1");
}

function wordsOf(text: string): string[] {
    return text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
}

/** What is looked for, as it was typed: without what must not be there and the commonest words. */
export function askedWords(question: string): string[] {
    const wanted = question.replace(/(^|\s)-("[^"]*"?|\S+)/g, " ");
    const seen = new Set<string>();
    return wordsOf(wanted).filter((word) => {
        const low = folded(word);
        if (low.length < 3 || common.has(low) || unspaced.test(word) || seen.has(stem(word))) return false;
        seen.add(stem(word));
        return true;
    });
}

/** Those of the words that stand in one of the texts, in this form or a near one. */
export function standingIn(words: readonly string[], texts: readonly string[]): Set<string> {
    const low = texts.map(folded);
    const stems = new Set(low.flatMap(wordsOf).map(stem));
    return new Set(words.filter((word) => stems.has(stem(word)) || low.some((text) => text.includes(folded(word)))));
}

/** The text with the words marked. */
export function Marked({ text, words }: { text: string; words: readonly string[] }) {
    if (words.length === 0) return <>{text}</>;
    const stems = new Set(words.map(stem));
    const parts: ComponentChildren[] = text
        .split(/([\p{L}\p{N}\p{M}]+)/u)
        .map((part, i) => (i % 2 === 1 && stems.has(stem(part)) ? <mark key={i}>{part}</mark> : part));
    return <>{parts}</>;
}
