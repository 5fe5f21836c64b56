// When the first pages are seen, with nothing kept and again, and whether anything moves
// after it. The times are told, never asserted: machines differ. With PICTURES=docs/images
// in the environment the pictures of the README are made as well, if graph.test.mjs ran before.
import { writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { assertStill, closePage, firstPaint, openPage, shiftsOf, useBrowser } from "./support/browser.mjs";

useBrowser();

/** What is there when a page has its contents. */
const pages = {
    "/login": "form",
    "/search": "[data-search-box]",
    "/documents": "[data-document]",
    "/graph": ".schema-spot, .empty",
    "/graph/picture": ".empty",
    "/glossary": ".term-name, .empty",
    "/operations": ".chart",
};

/** Milliseconds until something, and until the largest thing was seen; -1: nobody said. */
async function timesOf(page) {
    const largest = await page.evaluate(() => new Promise((done) => {
        const observer = new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime));
        observer.observe({ type: "largest-contentful-paint", buffered: true });
        setTimeout(() => done(-1), 20_000);
    }));
    return { first: await firstPaint(page), largest };
}

test("first paint of every first page, and no shift of the layout", async (t) => {
    for (const [address, there] of Object.entries(pages)) {
        const page = await openPage(address === "/login" ? null : "admin", "about:blank");
        page.setDefaultTimeout(90_000); // a browser that knows nothing yet, on a busy machine
        const wire = await page.context().newCDPSession(page);
        const told = [];
        for (const kept of [false, true]) {
            await wire.send("Network.setCacheDisabled", { cacheDisabled: !kept });
            await page.goto(address);
            await page.locator(there).first().waitFor();
            const { first, largest } = await timesOf(page);
            told.push(`${kept ? "again" : "at first"} ${first.toFixed(0)} ms (largest ${largest.toFixed(0)} ms)`);
            await assertStill(page, address);
        }
        const { sum } = await shiftsOf(page);
        t.diagnostic(`first page: ${address}: ${told.join(", ")}, layout shift ${sum.toFixed(4)}`);
        await closePage(page);
    }
});

/** What the page shows, packed as WebP by the browser itself. */
async function picture(page, name) {
    const shot = (await page.screenshot({ animations: "disabled" })).toString("base64");
    const empty = await page.context().newPage(); // its policy allows pictures that are text
    const packed = await empty.evaluate(async (text) => {
        const image = new Image();
        image.src = "data:image/png;base64," + text;
        await image.decode();
        const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
        canvas.getContext("2d").drawImage(image, 0, 0);
        return canvas.toDataURL("image/webp", 0.8);
    }, shot);
    await empty.close();
    writeFileSync(path.join(process.env.PICTURES, name + ".webp"), Buffer.from(packed.split(",")[1], "base64"));
}

const terms = [["Anchor", "What holds a ship to the ground."], ["Ballast", "What gives a ship its weight below."], ["Capstan", "A drum on which ropes are wound by hand."], ["Halyard", "A rope by which a sail is hoisted."], ["Keel", "The lowest timber, on which the others stand."]];

test("the pictures of the README", { skip: !process.env.PICTURES }, async () => {
    const page = await openPage("admin", "/documents");
    await page.locator("[data-document]").first().waitFor();
    await picture(page, "documents");
    const me = await (await page.request.get("/api/auth/me")).json();
    const headers = { "X-CSRF-Token": me.csrf_token };
    for (const [term, definition] of terms)
        await page.request.post("/api/glossary", { headers, data: { id: "picture-" + term.toLowerCase(), term, definition, domain: "ships", status: term > "C" ? "draft" : "validated" } });
    await page.goto("/glossary");
    await page.locator(".term-name").nth(4).waitFor();
    await picture(page, "glossary");
    for (const [term] of terms) await page.request.delete("/api/glossary/picture-" + term.toLowerCase(), { headers });
    await page.goto("/graph/picture?s=expand~department-0~~both~50&s=path~department-0~person-59&at=department-0");
    await page.locator(".drawn-box canvas").first().waitFor();
    await page.getByRole("region", { name: "Ways" }).getByRole("button").first().waitFor();
    await page.waitForTimeout(9000); // nobody says when it has been arranged
    await picture(page, "graph");
    await page.goto("/operations");
    for (let i = 0; i < 40; i++) {
        await page.request.post("/api/search", { headers, data: { query: ["harbour", "library hours", "exam dates"][i % 3] } });
        await page.waitForTimeout(250);
    }
    await page.locator("[aria-label^='Requests: ']").waitFor();
    await picture(page, "operations");
    await closePage(page);
});
