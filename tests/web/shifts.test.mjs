// What counts as a shift of the layout, and what a person asked for: support/shifts.mjs.
import assert from "node:assert/strict";
import test from "node:test";
import { closePage, openPage, shiftsOf, useBrowser } from "./support/browser.mjs";
import { layoutShift, unasked } from "./support/shifts.mjs";

useBrowser();

const at = (ms, value = 0.01) => ({ at: ms, value });
const still = (shifts, inputs = [], requests = []) => ({ shifts, inputs, requests });
const request = (begun, ended) => ({ begun, ended });

test("the worst window counts: gaps below a second, five seconds in all", () => {
    const sum = (...times) => Math.round(100 * layoutShift(times.map((ms) => at(ms))));
    assert.equal(sum(), 0);
    assert.equal(sum(100, 900, 1800), 3);
    assert.equal(sum(100, 1100, 1200), 2, "a second without one ends a window");
    assert.equal(sum(0, 900, 1800, 2700, 3600, 4500, 5400), 6, "so do five seconds");
    assert.equal(sum(1800, 100, 900), 3, "in whatever order they were told");
});

test("what comes before any input counts, also when an answer is awaited", () => {
    assert.equal(unasked(still([at(300)], [400], [request(0, 600)])).length, 1);
});

test("what follows an input counts from half a second on, unless it is its answer", () => {
    assert.equal(unasked(still([at(1400)], [1000])).length, 0);
    assert.equal(unasked(still([at(1600)], [1000])).length, 1);
    assert.equal(unasked(still([at(1600)], [1000], [request(1250, 1610)])).length, 0, "asked after a pause for more keys");
    assert.equal(unasked(still([at(1600)], [1000], [request(1250, null)])).length, 0, "half of the answer is there");
    assert.equal(unasked(still([at(1700)], [1000], [request(1250, 1610)])).length, 1, "the answer was drawn before");
    assert.equal(unasked(still([at(1600)], [1000], [request(900, 1610)])).length, 1, "asked by nobody: a timer");
    assert.equal(unasked(still([at(1800)], [1000], [request(1600, 1810)])).length, 1, "likewise");
});

test("an answer may ask for the next", () => {
    const requests = [request(1010, 1800), request(1850, 2600)];
    assert.equal(unasked(still([at(2500)], [1000], requests)).length, 0);
    assert.equal(unasked(still([at(2500)], [1000], requests.slice(1))).length, 1);
});

/** A page on which the answer to a request moves what is below it, when answer() was called. */
async function slowPage() {
    const page = await openPage(null, "/login");
    await page.locator("form").waitFor();
    let answer;
    const called = new Promise((done) => (answer = done));
    await page.route("**/slow", async (route) => {
        await called;
        await route.fulfill({ body: "late" });
    });
    await page.evaluate(() => {
        document.body.innerHTML = "<button>Ask</button><div></div><p>What is read.</p>";
        window.ask = async () => {
            const text = await (await fetch("/slow")).text();
            document.querySelector("div").innerHTML = `<h1>${text}</h1>`.repeat(3);
        };
        document.querySelector("button").onclick = window.ask;
        document.querySelector("p").style.height = "60vh";
    });
    return { page, answer };
}

test("in a page: a late answer to a click is excused, the same by itself is not", async () => {
    for (const clicked of [true, false]) {
        const { page, answer } = await slowPage();
        if (clicked) await page.getByRole("button").click();
        else await page.evaluate(() => void window.ask());
        // late: the browser itself excuses it no more
        await page.waitForFunction(() => performance.now() > window.still.requests.at(-1).begun + 700);
        answer();
        await page.waitForFunction(() => window.still.requests.at(-1).ended !== null);
        const { sum } = await shiftsOf(page);
        if (clicked) assert.equal(sum, 0);
        else assert.ok(sum > 0.02, `only ${sum}`);
        await closePage(page);
    }
});
