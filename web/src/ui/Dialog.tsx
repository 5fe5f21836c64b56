import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Button, IconButton } from "./Button";

interface DialogProps {
    title: string;
    onClose: () => void;
    children: ComponentChildren;
    actions?: ComponentChildren; // buttons below
    wide?: boolean;
}

/** The browser's own dialog: focus stays within, Escape closes, focus goes back after. */
export function Dialog({ title, onClose, children, actions, wide }: DialogProps) {
    const ref = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const before = document.activeElement;
        const dialog = ref.current;
        if (dialog && !dialog.open) dialog.showModal();
        return () => {
            dialog?.close();
            if (before instanceof HTMLElement && before.isConnected) before.focus();
        };
    }, []);
    return (
        <dialog
            ref={ref}
            class={wide ? "dialog dialog-wide" : "dialog"}
            aria-labelledby={id}
            onCancel={(event) => {
                event.preventDefault();
                onClose();
            }}
            onClick={(event) => event.target === ref.current && onClose()}
        >
            <div class="dialog-inside">
                <header class="dialog-head">
                    <h2 id={id}>{title}</h2>
                    <IconButton icon="close" label="Close" onClick={onClose} />
                </header>
                <div class="dialog-body">{children}</div>
                {actions && <footer class="dialog-foot">{actions}</footer>}
            </div>
        </dialog>
    );
}

/** A question before something that cannot be taken back. */
export function Confirm(props: {
    title: string;
    children: ComponentChildren;
    yes: string;
    busy?: boolean;
    onYes: () => void;
    onClose: () => void;
}) {
    return (
        <Dialog
            title={props.title}
            onClose={props.onClose}
            actions={
                <>
                    <Button onClick={props.onClose}>Cancel</Button>
                    <Button kind="danger" busy={props.busy ?? false} onClick={props.onYes}>
                        {props.yes}
                    </Button>
                </>
            }
        >
            {props.children}
        </Dialog>
    );
}
