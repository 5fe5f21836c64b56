// The layout's shifts, as a reader has them: web vitals' sum (the largest of the windows in
// which shifts are less than 1 s apart, 5 s in all), without those that follow what a person
// did: within 500 ms, or when the answer to a request comes that was begun by it.

const INPUT_MS = 500; // as the browser's own hadRecentInput
const GAP_MS = 1000;
const WINDOW_MS = 5000;

/** Goes into the page, before its own scripts: window.still has the times, in milliseconds,
 * of shifts, of inputs, and of requests from when they were sent until what they answered
 * has been drawn. */
export function watchShifts() {
    const now = performance.now.bind(performance); // a test may put other clocks in their place
    const [frame, soon] = [requestAnimationFrame.bind(window), setTimeout.bind(window)];
    const still = { shifts: [], inputs: [], requests: [] };
    window.still = still;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
            if (!entry.hadRecentInput)
                still.shifts.push({ at: entry.startTime, value: entry.value, of: entry.sources.map((s) => s.node?.outerHTML?.slice(0, 120) ?? s.node?.nodeName) });
    }).observe({ type: "layout-shift", buffered: true });
    // tests choose files and options without a key or a click: the change stands for it
    for (const type of ["pointerdown", "pointerup", "keydown", "input", "change", "drop"])
        addEventListener(type, () => still.inputs.push(now()), { capture: true, passive: true });

    const begin = () => {
        const one = { begun: now(), ended: null };
        still.requests.push(one);
        // the next frame draws what the answer changed
        return () => frame(() => frame(() => (one.ended = now())));
    };
    const send = window.fetch;
    window.fetch = async (...asked) => {
        const end = begin();
        try {
            const answer = await send(...asked);
            let reads = false;
            for (const name of ["json", "text", "blob", "arrayBuffer"]) {
                const read = answer[name].bind(answer);
                answer[name] = () => {
                    reads = true;
                    return read().finally(end);
                };
            }
            // who has not begun to read it by then reads no body, or a stream without an end
            soon(() => reads || end());
            return answer;
        } catch (fault) {
            end();
            throw fault;
        }
    };
    const post = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function (...body) {
        this.addEventListener("loadend", begin());
        return post.apply(this, body);
    };
}

const within = (at, begun, ended) => at >= begun && at <= ended;

/** Those requests that something a person did has begun, at once or by the answer to one. */
function askedFor({ inputs, requests }) {
    const causes = [...inputs];
    const found = [];
    for (const one of [...requests].sort((a, b) => a.begun - b.begun)) {
        if (!causes.some((at) => within(one.begun, at, at + INPUT_MS))) continue;
        found.push(one);
        if (one.ended !== null) causes.push(one.ended);
    }
    return found;
}

/** Those that a reader is not to have. */
export function unasked(still) {
    const asked = askedFor(still);
    return still.shifts.filter(({ at }) =>
        !still.inputs.some((input) => within(at, input, input + INPUT_MS)) &&
        !asked.some((one) => within(at, one.begun, one.ended ?? Infinity)));
}

/** The sum of the worst window. */
export function layoutShift(shifts) {
    let worst = 0, sum = 0, first = -Infinity, last = -Infinity;
    for (const { at, value } of [...shifts].sort((a, b) => a.at - b.at)) {
        if (at - last >= GAP_MS || at - first >= WINDOW_MS) [sum, first] = [0, at];
        sum += value;
        last = at;
        worst = Math.max(worst, sum);
    }
    return worst;
}
