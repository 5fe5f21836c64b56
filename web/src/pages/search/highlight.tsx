// The passage with what was found in it. It comes escaped for HTML with <em> around the
// words; it is taken apart here rather than given to the page as HTML.
import type { ComponentChildren } from "preact";

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", apos: "'" };

function plain(text: string): string {
    return text.replace(/&(amp|lt|gt|quot|#39|apos);/g, (_, name: string) => entities[name] ?? "");
}

export function Highlight({ text }: { text: string }) {
    const parts: ComponentChildren[] = [];
    for (const [i, piece] of text.split("<em>").entries()) {
        const end = i === 0 ? -1 : piece.indexOf("</em>");
        if (end >= 0) parts.push(<mark key={i}>{plain(piece.slice(0, end))}</mark>);
        parts.push(plain(end >= 0 ? piece.slice(end + 5) : piece));
    }
    return <>{parts}</>;
}
