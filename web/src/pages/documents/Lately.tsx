// What was deleted in this tab, and its way back.
import { Button } from "../../ui/Button";
import { moment } from "../../ui/format";
import { Badge } from "../../ui/Small";
import { canUndo, undo, useDeletions } from "./deletion";
import type { Deleted } from "./deletion";

export function UndoButton({ one }: { one: Deleted }) {
    if (one.state === "gone" && !one.copy) return null;
    return (
        <Button busy={one.state === "returning"} disabled={!canUndo(one)} onClick={() => void undo(one.id)}>
            Undo
            <span class="visually-hidden"> the deletion of {one.title}</span>
        </Button>
    );
}

export function DeletedLately() {
    const { lately } = useDeletions();
    if (lately.length === 0) return null;
    return (
        <details class="card lately">
            <summary>
                Deleted lately <Badge>{lately.length}</Badge>
            </summary>
            <p class="quiet small">Until you close this tab they can be brought back, the last twenty of them.</p>
            <ul class="uploads" aria-label="Deleted lately">
                {lately.map((one) => (
                    <li key={one.id} class="upload">
                        <span class="break">{one.title}</span>
                        <span class="quiet small">{moment(one.at)}</span>
                        <UndoButton one={one} />
                    </li>
                ))}
            </ul>
        </details>
    );
}
