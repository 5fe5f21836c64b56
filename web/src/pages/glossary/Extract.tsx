// Which documents are to be looked through for terms.
import { useState } from "preact/hooks";
import { api } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { go } from "../../router";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { asError } from "../../ui/hooks";
import { ErrorNotice } from "../../ui/States";

export function Extract({ onClose }: { onClose: () => void }) {
    const [collection, setCollection] = useState("");
    const [language, setLanguage] = useState("");
    const [least, setLeast] = useState("2");
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<ApiError | null>(null);
    const begin = async () => {
        setBusy(true);
        setError(null);
        try {
            const job = await api.post<Schemas["GlossaryJob"]>("/api/glossary/extract", {
                min_frequency: Number(least) || 2,
                ...(collection.trim() ? { collection: collection.trim() } : {}),
                ...(language.trim() ? { language: language.trim() } : {}),
            });
            onClose();
            go("/glossary/candidates?job=" + encodeURIComponent(job.job_id));
        } catch (fault) {
            setError(asError(fault));
            setBusy(false);
        }
    };
    const field = error?.status === 400 ? error.field : null;
    return (
        <Dialog
            title="Look through documents"
            onClose={onClose}
            actions={
                <>
                    <Button onClick={onClose}>Cancel</Button>
                    <Button kind="primary" busy={busy} onClick={() => void begin()}>
                        Begin
                    </Button>
                </>
            }
        >
            {error && !field && <ErrorNotice error={error} />}
            <TextField label="Collection" help="Left empty: all documents that you may read." value={collection} maxLength={200} error={field === "collection" ? error?.message : null} onInput={(event) => setCollection(event.currentTarget.value)} />
            <TextField label="Language" help="Left empty: all." value={language} maxLength={35} error={field === "language" ? error?.message : null} onInput={(event) => setLanguage(event.currentTarget.value)} />
            <TextField label="Found at least so often" type="number" min={1} max={1000} value={least} error={field === "min_frequency" ? error?.message : null} onInput={(event) => setLeast(event.currentTarget.value)} />
        </Dialog>
    );
}
