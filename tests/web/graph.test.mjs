// The graph's pages: overview, labels, nodes, picture, query.
import assert from "node:assert/strict";
import test from "node:test";
import { closePage, look, openPage, tabTo, useBrowser } from "./support/browser.mjs";
import { university } from "./support/university.mjs";

useBrowser();

let stored = null;

/** The sample is stored once, by whoever comes first. */
async function open(who, address, how) {
    await (stored ??= store());
    return openPage(who, address, how);
}

async function store() {
    const page = await openPage("admin", "/graph");
    const told = await page.evaluate(async (lines) => {
        const me = await (await fetch("/api/auth/me")).json();
        const answer = await fetch("/api/graph/import?format=ndjson&refresh=true", {
            method: "POST", body: lines, headers: { "X-CSRF-Token": me.csrf_token, "Content-Type": "application/x-ndjson" },
        });
        return answer.text();
    }, university());
    assert.match(told, /"status":\s*"done"/);
    assert.match(told, /"failed":\s*0/);
    await page.close();
}

test("the overview: the schema as a picture and in tables", async () => {
    const page = await open("staff", "/graph");
    const labels = page.getByRole("table", { name: "Labels" });
    await labels.getByRole("row", { name: /Person/ }).waitFor();
    assert.match(await labels.getByRole("row", { name: /Person/ }).innerText(), /60/);
    await page.locator(".schema-spot", { hasText: "Course" }).waitFor();
    assert.equal(await page.locator(".schema-type", { hasText: "REQUIRES" }).count(), 1);
    await look(page, "graph-overview");
    await labels.getByRole("button", { name: "Label", exact: true }).focus();
    await page.keyboard.press("Enter");
    assert.equal(await labels.locator("tbody tr").first().locator(".label-link").innerText(), "Building");
    await page.getByRole("tab", { name: "Labels" }).focus();
    await page.keyboard.press("ArrowRight");
    const types = page.getByRole("table", { name: "Relationship types" });
    assert.match(await types.getByRole("row", { name: /KNOWS/ }).innerText(), /59[^]*Person[^]*Person/);
    await page.keyboard.press("ArrowRight");
    await page.getByRole("table", { name: "Property keys" }).getByRole("row", { name: /credits/ }).waitFor();
    await closePage(page);
});
