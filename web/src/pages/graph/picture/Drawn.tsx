// The drawn picture with its buttons. For readers the list beside it says the same.
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { IconButton } from "../../../ui/Button";
import { counted } from "../../../ui/format";
import { Notice } from "../../../ui/States";
import type { Canvas } from "./canvas";
import { lookNow, shapeOf } from "./shapes";
import type { Contents, View } from "./view";

/** Counts up when the theme changes. */
function useTheme(): number {
    const [round, setRound] = useState(0);
    useEffect(() => {
        const change = () => setRound((n) => n + 1);
        const media = matchMedia("(prefers-color-scheme: dark)");
        const observer = new MutationObserver(change);
        media.addEventListener("change", change);
        observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
        return () => {
            media.removeEventListener("change", change);
            observer.disconnect();
        };
    }, []);
    return round;
}

export function Drawn(props: { contents: Contents; view: View; all: readonly string[]; canvas: RefObject<Canvas>; onChoose: (id: string) => void }) {
    const { contents, view, all, canvas } = props;
    const box = useRef<HTMLDivElement>(null);
    const [state, setState] = useState<"loading" | "ready" | "none">("loading");
    const theme = useTheme();
    const choose = useRef(props.onChoose);
    choose.current = props.onChoose;

    useEffect(() => {
        let wanted = true;
        import("./canvas")
            .then(({ openCanvas }) => {
                if (!wanted || !box.current) return;
                canvas.current = openCanvas(box.current, lookNow(), (id) => choose.current(id));
                setState("ready");
            })
            .catch(() => wanted && setState("none"));
        return () => {
            wanted = false;
            canvas.current?.close();
            canvas.current = null;
        };
    }, []);
    useEffect(() => {
        if (state !== "ready") return;
        const look = lookNow();
        canvas.current?.set(shapeOf(contents, view, all, look), look, view.chosen);
    }, [state, contents, JSON.stringify([view.colours, view.captions, view.chosen]), all.join(), theme]);

    return (
        <div class="drawn">
            <div ref={box} class="drawn-box" role="img" aria-label={`${counted(contents.nodes.length, "node")} and ${counted(contents.edges.length, "relationship")}; the list has the same`} />
            {state === "none" && (
                <div class="drawn-none">
                    <Notice kind="warn">
                        <p>This browser draws no pictures of this kind (WebGL is off). The list has everything, and all can be done from there.</p>
                    </Notice>
                </div>
            )}
            <div class="drawn-tools" role="toolbar" aria-label="The picture">
                <IconButton icon="plus" label="Larger" onClick={() => canvas.current?.zoom(true)} />
                <IconButton icon="minus" label="Smaller" onClick={() => canvas.current?.zoom(false)} />
                <IconButton icon="fit" label="Show all of it" onClick={() => canvas.current?.fit()} />
                <IconButton icon="refresh" label="Arrange anew" onClick={() => canvas.current?.layOut()} />
            </div>
        </div>
    );
}
