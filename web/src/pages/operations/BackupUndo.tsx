import { useState } from "preact/hooks";
import type { Schemas } from "../../api";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { Notice } from "../../ui/States";

type Undoable = Schemas["BackupSchedule"]["undo"];

interface Words {
    can: boolean;
    title: string;
    why: string;
}

/** What the button says, and the line that explains it. */
export function undoWords(undo: Undoable | undefined): Words {
    const of = undo?.set ? ` of ${undo.set}` : "";
    if (undo?.what === "undo") return { can: true, title: "Undo the restore", why: `The restore in place${of} can be undone.` };
    if (undo?.what === "redo") return { can: true, title: "Redo the restore", why: `The restore in place${of} was undone. It can be brought back until the next restore.` };
    if (undo?.what === "nothing") return { can: false, title: "Undo a restore", why: "There is nothing to undo: no restore in place was made." };
    return { can: false, title: "Undo a restore", why: "Whether a restore can be undone is not known: the database does not answer." };
}

/** Nothing is replaced unless the word was typed. */
export function Undo({ undo, onYes, onClose }: { undo: Undoable; onYes: (word: "undo" | "redo") => void; onClose: () => void }) {
    const [typed, setTyped] = useState("");
    const word = undo.what === "redo" ? "redo" : "undo";
    const set = undo.set ? <code>{undo.set}</code> : "the last set";
    return (
        <Dialog
            title={word === "redo" ? "Redo the restore?" : "Undo the restore?"}
            onClose={onClose}
            actions={
                <>
                    <Button onClick={onClose}>Cancel</Button>
                    <Button kind="danger" disabled={typed !== word} onClick={() => onYes(word)}>
                        {word === "redo" ? "Redo it" : "Undo it"}
                    </Button>
                </>
            }
        >
            <div class="stack">
                <Notice kind="warn">
                    <p>
                        {word === "redo" ? (
                            <>All becomes again what the restore of {set} had brought, with what was changed between it and its undo. What has changed since the undo is put aside.</>
                        ) : (
                            <>All becomes what it was before the restore of {set}. What has changed since then is put aside; until the next restore it can be brought back.</>
                        )}
                    </p>
                    <p>
                        That is the whole database: documents, terms and the graph, but users, their passwords and API keys, too. A user or a key that was made meanwhile is gone; a key that was
                        revoked meanwhile is good again.
                    </p>
                </Notice>
                <TextField label={`Type ${word} to confirm`} autocomplete="off" spellcheck={false} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
            </div>
        </Dialog>
    );
}
