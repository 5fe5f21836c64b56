import { areas } from "../areas";
import { useSession } from "../session";
import { Dialog } from "./Dialog";

export function Shortcuts({ onClose }: { onClose: () => void }) {
    const session = useSession();
    return (
        <Dialog title="Keys and help" onClose={onClose}>
            <dl class="keys">
                <dt>
                    <kbd>/</kbd>
                </dt>
                <dd>To the search box; from other pages to your last search</dd>
                {areas
                    .filter((area) => !area.permission || session.may(area.permission))
                    .map((area) => [
                        <dt key={area.name + "-key"}>
                            <kbd>g</kbd> <kbd>{area.key}</kbd>
                        </dt>,
                        <dd key={area.name}>To {area.title}</dd>,
                    ])}
                <dt>
                    <kbd>j</kbd> <kbd>k</kbd>
                </dt>
                <dd>To the next and the previous result</dd>
                <dt>
                    <kbd>↓</kbd> <kbd>↑</kbd>
                </dt>
                <dd>The same, from the search box on and back to it</dd>
                <dt>
                    <kbd>?</kbd>
                </dt>
                <dd>This help</dd>
            </dl>
            <h3>In the search box</h3>
            <dl class="keys">
                <dt>
                    <code>"a phrase"</code>
                </dt>
                <dd>These words, one after the other</dd>
                <dt>
                    <code>+word</code>
                </dt>
                <dd>Must be there</dd>
                <dt>
                    <code>-word</code>
                </dt>
                <dd>Must not be there</dd>
                <dt>
                    <code>word*</code>
                </dt>
                <dd>Whatever begins so</dd>
            </dl>
            {session.may("read_graph") && (
                <>
                    <h3>In the graph</h3>
                    <p>
                        Find a node by its name and open it in the picture. Choose a node there, or in the list beside it, to add what it is
                        joined with, or to find the shortest way to another. <b>Undo</b> takes back the last step; the address is the picture.
                    </p>
                </>
            )}
            <p class="small">
                The API that these pages use is described at <a href="/docs">/docs</a>.
            </p>
        </Dialog>
    );
}
