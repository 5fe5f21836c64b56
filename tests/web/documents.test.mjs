// The documents' pages: adding files, finding them, who may read them, deleting, jobs,
// collections; by keyboard, at all sizes.
import assert from "node:assert/strict";
import test from "node:test";
import { assertStill, closePage, look, openPage, tabTo, useBrowser } from "./support/browser.mjs";

useBrowser();

const run = Date.now().toString(36); // a stack may be there for several runs
const row = (page, title) => page.getByRole("row").filter({ has: page.getByRole("link", { name: title, exact: true }) });

function markdown(title, words) {
    return { name: `${title}.md`, mimeType: "text/markdown", buffer: Buffer.from(`# ${title}\n\n${words}\n`) };
}

async function choose(page, files) {
    await page.getByLabel("Files to add").setInputFiles(files);
}

async function inTheApi(page, path) {
    return page.evaluate(async (address) => (await fetch(address)).status, path);
}

test("a result leads to its passage, which is marked, and to its page of the original", async () => {
    const page = await openPage("admin", "/search?q=" + encodeURIComponent("cormorants on the harbour wall"));
    await page.locator("[data-result]").first().click();
    await page.waitForURL("**/documents/*?passage=*");
    const marked = page.locator(".passage[aria-current]");
    await marked.waitFor();
    assert.match(await marked.innerText(), /cormorants/i);
    await page.waitForFunction(() => document.activeElement?.matches(".passage[aria-current]"));
    const original = marked.getByRole("link", { name: /Original at page 2/ });
    await original.waitFor();
    assert.match(await original.getAttribute("href"), /inline=true#page=2$/);
    await look(page, "document-passages");
    await page.getByRole("tab", { name: "Text" }).click();
    await page.waitForURL((url) => !url.searchParams.has("passage"));
    await page.goto(new URL(page.url()).pathname + "?passage=gone");
    await page.getByText("no longer part of the document").waitFor();
    await closePage(page);
});

test("what passages share stands there once, and whole in the one that led here", async () => {
    const page = await openPage("admin", "/login");
    await page.waitForURL("**/search");
    const shared = "The pilot boards at the outer buoy.";
    const passages = [`Ships wait outside. ${shared}`, `${shared} Then they enter.`, "Then they enter. Ropes are made fast."].map((text, i) =>
        ({ chunk_id: `harbour#${i}`, section_title: "", page_number: null, text }));
    await page.route("**/api/documents/harbour/passages*", (route) => route.fulfill({ json: { passages,
        pagination: { page: 1, per_page: 20, total_count: 3, total_pages: 1, has_next: false, has_prev: false } } }));
    const texts = async (address) => {
        await page.goto(address);
        await page.locator(".passage").first().waitFor();
        return page.locator(".passage-text").allInnerTexts();
    };
    assert.deepEqual(await texts("/documents/harbour?tab=passages"), [passages[0].text, "… Then they enter.", passages[2].text], "a few words are no overlap");
    assert.deepEqual(await texts("/documents/harbour?passage=harbour%231"), ["Ships wait outside. …", passages[1].text, passages[2].text]);
    await closePage(page);
});

test("add files, see what becomes of each, find one by its title", async () => {
    const title = `Lighthouse ${run}`;
    const page = await openPage("admin", "/documents");
    await page.locator("[data-document]").first().waitFor();
    await assertStill(page, "documents");
    await choose(page, [
        markdown(title, "The keeper lights the lamp at dusk."),
        { name: "picture.png", mimeType: "image/png", buffer: Buffer.from("89504e470d0a1a0a0000", "hex") },
    ]);
    const files = page.getByRole("list", { name: "Files" });
    const good = files.getByRole("listitem").filter({ hasText: title });
    const bad = files.getByRole("listitem").filter({ hasText: "picture.png" });
    await good.getByText("Stored").waitFor();
    assert.match(await bad.getByRole("alert").innerText(), /^[A-Z].*\.$/, "in words");
    await bad.getByRole("button", { name: "Try picture.png again" }).waitFor();
    await row(page, title).waitFor();
    await page.getByLabel("In the title").fill(title.toUpperCase());
    await page.waitForURL("**q=LIGHTHOUSE*");
    await page.getByText(`1 document with`).waitFor();
    await look(page, "documents-added");
    await choose(page, [markdown(title, "The keeper lights the lamp at dusk.")]);
    await good.getByText("Was there already").waitFor();
    await closePage(page);
});

test("what is dropped is added, with what was said of it", async () => {
    const title = `Dropped ${run}`;
    const page = await openPage("admin", "/documents");
    const goes = page.getByRole("note").filter({ hasText: "New files go to" });
    assert.match(await goes.innerText(), /collection default, readable by everybody\./);
    await page.getByText("Change the collection and who may read them").click();
    await page.getByRole("combobox", { name: "Collection" }).first().selectOption({ label: "A new one…" });
    await page.getByLabel("Name of the new collection").fill(`nets-${run}`);
    await page.getByRole("textbox", { name: "Department" }).fill("Harbour Office");
    await page.getByRole("combobox", { name: "Clearance" }).selectOption("3");
    assert.match(await goes.innerText(), new RegExp(`collection nets-${run}, readable by staff of the department; department Harbour Office`));
    await look(page, "documents-said");
    await page.evaluate((name) => {
        const data = new DataTransfer();
        data.items.add(new File([`# ${name}\n\nNets are mended on Mondays.\n`], name + ".md", { type: "text/markdown" }));
        for (const type of ["dragover", "drop"])
            document.querySelector(".drop").dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }, title);
    await row(page, title).getByText("Harbour Office").waitFor();
    await row(page, title).getByText(`nets-${run}`).waitFor();
    await page.getByLabel("Collection").last().selectOption(`nets-${run}`); // it is offered at once
    await page.waitForURL("**collection=nets-*");
    await row(page, title).waitFor();
    await page.getByRole("link", { name: title, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await page.getByRole("tab", { name: "Access" }).click();
    await page.getByText("May read", { exact: true }).waitFor();
    await page.getByLabel("User, by name or id").fill("web-student");
    await page.getByRole("button", { name: "May they read it?" }).click();
    await page.getByText("May not read", { exact: true }).waitFor();
    await page.getByText("The document asks for clearance 3; the reader has 2, which is too low.").waitFor();
    await look(page, "documents-access");
    await page.getByLabel("User, by name or id").fill("nobody-of-this-name");
    await page.getByRole("button", { name: "May they read it?" }).click();
    await page.getByRole("alert").waitFor();
    await closePage(page);
});

test("by keyboard alone: find a document, open it, go through its tabs", async () => {
    const page = await openPage("staff", "/documents");
    await page.locator("[data-document]").first().waitFor();
    await tabTo(page, "input[type=search]");
    await page.keyboard.type("passwords and accounts");
    await page.waitForFunction(() => document.querySelectorAll("[data-document]").length === 1);
    await tabTo(page, "[data-document]");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/documents/university-password-guide");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await tabTo(page, "[role=tab]");
    await page.keyboard.press("ArrowRight");
    await page.waitForURL("**tab=passages");
    await page.locator(".passage").first().waitFor();
    await page.keyboard.press("ArrowRight");
    await page.waitForURL("**tab=access");
    await page.keyboard.press("ArrowRight");
    await page.getByRole("heading", { name: "What was kept" }).waitFor();
    await page.keyboard.press("Home");
    await tabTo(page, "input[type=search]");
    await page.keyboard.type("password reset");
    await page.keyboard.press("Enter");
    await page.locator(".passage").first().waitFor();
    assert.match((await page.locator(".passage").allInnerTexts()).join(), /password/i);
    await closePage(page);
});

test("a document's page, with its original", async () => {
    const page = await openPage("admin", "/documents/harbour");
    await page.getByRole("heading", { level: 1, name: "The Old Harbour" }).waitFor();
    await page.getByRole("link", { name: /Open the original/ }).waitFor();
    await page.getByText("Cormorants dry their wings").waitFor();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
    assert.equal(file.suggestedFilename(), "harbour.pdf");
    await look(page, "documents-one");
    await page.goto("/documents/harbour?tab=report");
    await page.getByRole("heading", { name: "What was left out" }).waitFor();
    await page.goto("/documents/there-is-none");
    await page.getByRole("alert").waitFor();
    await closePage(page);
});

test("deleting can be undone, and is done when the time is over", async () => {
    const title = `Doomed ${run}`;
    const page = await openPage("admin", "/login");
    await page.clock.install();
    await page.goto("/documents");
    await choose(page, [markdown(title, "This one is not long for this world.")]);
    const link = page.getByRole("link", { name: title, exact: true });
    await link.waitFor();
    const path = "/api" + (await link.getAttribute("href"));
    await page.getByRole("button", { name: `Delete ${title}` }).click();
    await link.waitFor({ state: "detached" });
    assert.equal(await inTheApi(page, path), 200, "nothing was asked yet");
    await page.getByRole("button", { name: "Undo" }).click();
    await link.waitFor();

    await page.getByRole("button", { name: `Delete ${title}` }).click();
    await link.waitFor({ state: "detached" });
    await page.reload(); // who leaves has deleted nothing
    await link.waitFor();
    assert.equal(await inTheApi(page, path), 200);

    await page.getByRole("button", { name: `Delete ${title}` }).click();
    const [answer] = await Promise.all([page.waitForResponse((one) => one.request().method() === "DELETE"), page.clock.fastForward(9000)]);
    assert.equal(answer.status(), 200);
    await page.reload();
    await page.locator("[data-document]").first().waitFor();
    assert.equal(await link.count(), 0);
    assert.equal(await inTheApi(page, path), 404);
    await closePage(page);
});

test("what was deleted in this tab comes back, from the list and from its page", async () => {
    const title = `Returns ${run}`;
    const page = await openPage("admin", "/login");
    await page.clock.install();
    await page.goto("/documents");
    await choose(page, [markdown(title, "Swallows return to the same nest.")]);
    const link = page.getByRole("link", { name: title, exact: true });
    await link.waitFor();
    const address = await link.getAttribute("href");
    const described = () => page.evaluate(async (path) => {
        const { title, collection, metadata, sections } = await (await fetch(path)).json();
        return { title, collection, metadata, sections, file: await (await fetch(path + "/file")).text() };
    }, "/api" + address);
    const before = await described();
    const numberTold = async () => Number.parseInt((await page.locator(".told").innerText()).replace(",", ""), 10);
    const all = await numberTold();
    const remove = async () => {
        await page.getByRole("button", { name: `Delete ${title}` }).click();
        await link.waitFor({ state: "detached" });
        assert.equal(await numberTold(), all - 1, "counted without it");
        await Promise.all([page.waitForResponse((one) => one.request().method() === "DELETE"), page.clock.fastForward(9000)]);
        await page.getByText("Deleted lately").first().waitFor();
    };
    const undo = page.getByRole("button", { name: `Undo the deletion of ${title}` });
    await remove();
    await page.getByText("Deleted since").waitFor(); // in the list of what was added
    await page.getByText("Deleted lately").first().click();
    await look(page, "documents-lately");
    await undo.click();
    await link.waitFor();
    assert.deepEqual(await described(), before, "as it was, with its original");
    await undo.waitFor({ state: "detached" });

    await link.click();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.waitForURL("**/documents");
    await Promise.all([page.waitForResponse((one) => one.request().method() === "DELETE"), page.clock.fastForward(9000)]);
    await page.goBack();
    await page.getByText("This document is deleted").waitFor();
    await undo.click();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await closePage(page);
});

test("many at once are a job, whose failures have their reasons", async () => {
    const page = await openPage("admin", "/documents");
    const lines = ["no document at all"];
    for (let i = 1; i <= 21; i++) lines.push(JSON.stringify({ title: `Of a job ${run} ${i}`, text: `Stored by a job, number ${i}.`, collection: `many-${run}` }));
    await choose(page, [{ name: "many.ndjson", mimeType: "", buffer: Buffer.from(lines.join("\n") + "\n") }]);
    await page.getByRole("link", { name: /a job stores its documents/ }).click();
    await page.waitForURL("**tab=jobs");
    await page.reload();
    const job = page.getByRole("list", { name: "Jobs" }).locator("> li").first();
    await job.getByText("21 of 22 done").waitFor();
    await job.locator(".job-failed").waitFor();
    await job.getByText("Why it failed").click();
    await job.getByText("line 1").waitFor();
    await job.getByText("many.ndjson").waitFor();
    await look(page, "documents-jobs");
    const asked = page.waitForResponse((one) => one.url().endsWith("/retry"));
    await job.getByRole("button", { name: "Try what failed again" }).click();
    await asked;
    await page.locator(".toast").first().waitFor();
    await page.goto(`/documents?collection=many-${run}&sort=title`);
    await page.getByText("Page 1 of 2").waitFor();
    assert.equal(await page.locator("[data-document]").count(), 20);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("Page 2 of 2").waitFor();
    await page.waitForFunction(() => document.querySelectorAll("[data-document]").length === 1);
    assert.equal(new URL(page.url()).searchParams.get("page"), "2");
    await closePage(page);
});

test("a job that runs can be cancelled", async () => {
    const page = await openPage("admin", "/login");
    const job = { job_id: "6256d5dd-0000-4000-8000-000000000000", kind: "documents", state: "running", done: 120, failed: 0, total: 400, errors: [],
        created_at: "2026-01-02T03:04:05Z", started_at: null, finished_at: null, created_by: "web-admin" };
    const pagination = { page: 1, per_page: 20, total_count: 1, total_pages: 1, has_next: false, has_prev: false };
    await page.route("**/api/jobs?*", (route) => route.fulfill({ json: { jobs: [job], pagination } }));
    await page.route("**/api/jobs/" + job.job_id, (route) => {
        assert.equal(route.request().method(), "DELETE");
        job.state = "cancelled";
        return route.fulfill({ json: job });
    });
    await page.goto("/documents?tab=jobs");
    await page.getByText("120 of 400 done").waitFor();
    assert.equal(await page.getByRole("progressbar").getAttribute("value"), "30");
    job.done = 200;
    await page.getByText("200 of 400 done").waitFor(); // by itself
    job.total = 0;
    await page.getByText("200 done so far").waitFor(); // nobody knows of how many
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.locator(".job").getByText("Cancelled").waitFor();
    await closePage(page);
});

test("collections: made, changed, deleted after a question", async () => {
    const name = `harbour-${run}`;
    const page = await openPage("admin", "/documents?tab=collections");
    await page.getByRole("button", { name: "New collection" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByLabel("Title").fill("The harbour");
    await dialog.getByLabel("Clearance").selectOption("2");
    await look(page, "documents-collection-edit");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await row(page, name).getByText("clearance 2").waitFor();
    await page.getByRole("button", { name: `Edit ${name}` }).click();
    await dialog.getByLabel("Department").fill("Harbour Office");
    await dialog.getByRole("button", { name: "Save" }).click();
    await row(page, name).getByText("clearance 2 · Harbour Office").waitFor();

    await page.goto("/documents?collection=" + name);
    await choose(page, [markdown(`Within ${run}`, "Ropes and anchors.")]);
    await row(page, `Within ${run}`).getByText(name).waitFor();
    await page.getByRole("tab", { name: "Collections" }).click();
    await row(page, name).waitFor();
    await page.getByRole("button", { name: `Delete ${name}` }).click();
    await dialog.getByText("cannot be taken back").waitFor();
    await dialog.getByRole("button", { name: "Delete it and 1 document" }).click();
    await dialog.waitFor({ state: "detached" });
    await row(page, name).waitFor({ state: "detached" });
    await closePage(page);
});

test("who may not write is offered nothing to write with", async () => {
    const page = await openPage("student", "/documents");
    await page.locator("[data-document]").first().waitFor();
    assert.equal(await page.getByRole("button", { name: "Choose files" }).count(), 0);
    assert.equal(await page.getByRole("button", { name: /^Delete/ }).count(), 0);
    await page.goto("/documents?tab=collections");
    await page.getByRole("tab", { name: "Collections" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "New collection" }).count(), 0);
    await closePage(page);
});

test("what was stored here goes again: other pages' tests count what is found", async () => {
    const page = await openPage("admin", "/documents");
    await page.locator("[data-document]").first().waitFor();
    const left = await page.evaluate(async (mark) => {
        const me = await (await fetch("/api/auth/me")).json();
        const own = async () => {
            const { documents } = await (await fetch("/api/documents?per_page=100")).json();
            return documents.filter((one) => one.title.includes(mark));
        };
        for (const one of await own())
            await fetch("/api/documents/" + encodeURIComponent(one.document_id), { method: "DELETE", headers: { "X-CSRF-Token": me.csrf_token } });
        return (await own()).length;
    }, run);
    assert.equal(left, 0);
    await closePage(page);
});
