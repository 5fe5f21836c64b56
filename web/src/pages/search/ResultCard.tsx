// One passage that was found: where it stands, what of it fits, and on demand all of it,
// why it is where it is, the original and what is like it.
import { useEffect, useState } from "preact/hooks";
import { request, segment } from "../../api";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { useLoad } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Badge } from "../../ui/Small";
import { ErrorNotice, Loading } from "../../ui/States";
import { Highlight } from "./highlight";
import { similar } from "./query";
import type { Answer, Result } from "./query";
import { Why } from "./Why";

/** `q`: what was asked, whose words are marked there. */
export function documentAddress(result: Result, q = ""): string {
    const address = `/documents/${segment(result.document_id)}?passage=${encodeURIComponent(result.chunk_id)}`;
    return q ? `${address}&q=${encodeURIComponent(q)}` : address;
}

export function placeOf(result: Result): string {
    const parts = [result.section_title, result.page_number ? `page ${result.page_number}` : ""];
    return parts.filter((part) => part && part !== result.document_title).join(" · ");
}

/** The file that the document was made from: a PDF opens at the page. */
function Original({ result }: { result: Result }) {
    const file = `/api/documents/${segment(result.document_id)}/file`;
    const [type, setType] = useState<string | null>(null);
    useEffect(() => {
        const abort = new AbortController();
        request("HEAD", file, null, { signal: abort.signal }).then(
            (answer) => setType(answer.headers.get("Content-Type") ?? ""),
            () => {}, // it may not be had
        );
        return () => abort.abort();
    }, [file]);
    if (type === null) return null;
    const pdf = type.startsWith("application/pdf");
    const page = result.page_number ? ` at page ${result.page_number}` : "";
    return pdf ? (
        <a class="button" target="_blank" rel="noopener" href={`${file}?inline=true#page=${result.page_number ?? 1}`}>
            <Icon name="external" size={18} />
            Open the original{page}
            <span class="visually-hidden">, in a new tab</span>
        </a>
    ) : (
        <a class="button" href={file} download>
            <Icon name="download" size={18} />
            Download the original
        </a>
    );
}

function Similar({ result }: { result: Result }) {
    const { me } = useSession();
    const { data, error, again } = useLoad("similar " + result.chunk_id, (signal) => similar(me, result, signal));
    if (error) return <ErrorNotice error={error} again={again} />;
    if (!data) return <Loading what="Looking for similar passages" lines={2} />;
    if (data.length === 0) return <p class="quiet">No passage of another document is like this one.</p>;
    return (
        <ul class="similar" aria-label="Similar passages, the most alike first">
            {data.map((one) => (
                <li key={one.chunk_id}>
                    <a href={documentAddress(one)}>{one.document_title || one.document_id}</a>
                    <span class="quiet small">{placeOf(one)}</span>
                    <p class="similar-text">{one.text}</p>
                </li>
            ))}
        </ul>
    );
}

function More({ result }: { result: Result }) {
    return (
        <div class="result-more">
            <p class="result-full">{result.text}</p>
            {result.has_file && (
                <div class="row result-original">
                    <Original result={result} />
                </div>
            )}
        </div>
    );
}

export function ResultCard({ result, place, answer }: { result: Result; place: number; answer: Answer }) {
    const [open, setOpen] = useState(false);
    const [alike, setAlike] = useState(false);
    const metadata = result.metadata as Record<string, unknown>;
    const badges = ["department", "campus"].map((name) => metadata[name]).filter((value): value is string => typeof value === "string" && value !== "");
    const where = placeOf(result);
    return (
        <li class="result">
            <article aria-label={`Result ${place}: ${result.document_title || result.document_id}`}>
                <h2>
                    <a data-result href={documentAddress(result, answer.query)}>
                        {result.document_title || result.document_id}
                    </a>
                </h2>
                {where && <p class="result-place">{where}</p>}
                <p class="result-text">{result.highlight ? <Highlight text={result.highlight} /> : result.text.slice(0, 320)}</p>
                <div class="result-foot">
                    <span class="score" title="How it fits beside the other results; it does not say how sure that is">
                        <meter min={0} max={1} value={result.combined_score} aria-label="Fit, beside the other results" />
                    </span>
                    {badges.map((text) => (
                        <Badge key={text}>{text}</Badge>
                    ))}
                    <Button kind="quiet" class="similar-button" aria-expanded={alike} onClick={() => setAlike(!alike)}>
                        Similar<span class="visually-hidden"> passages to result {place}</span>
                    </Button>
                    <Button kind="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
                        {open ? "Less" : "More"}
                        <span class="visually-hidden"> of result {place}</span>
                    </Button>
                </div>
                {result.explanation && <Why result={result} answer={answer} />}
                {open && <More result={result} />}
                {alike && <Similar result={result} />}
            </article>
        </li>
    );
}
