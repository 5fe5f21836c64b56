// Operations: who looks after the stack sees how it is, makes and proves backups, adds people.
import assert from "node:assert/strict";
import { request } from "node:http";
import test from "node:test";
import { base, closePage, look, openPage, tabTo, useBrowser } from "./support/browser.mjs";

useBrowser();

const row = (page, text) => page.locator("tbody tr").filter({ hasText: text });
const dialog = (page) => page.getByRole("dialog");

// Of this run alone: a second try meets the same stack.
const run = Date.now().toString(36);
const label = `before the move ${run}`, keyName = `nightly import ${run}`;

test("the overview: services, checks, and what was before the page was opened", async () => {
    const before = await openPage("admin", "/search");
    for (const words of ["harbour", "cormorants", "library"]) {
        const answer = await before.request.get(`/api/search?q=${words}+${run}`);
        assert.equal(answer.status(), 200);
    }
    await closePage(before);
    const page = await openPage("admin", "/operations");
    const replicas = page.getByRole("table", { name: "Replicas of the services" });
    const checks = page.getByRole("table", { name: "What the gateway checks" });
    await row(replicas, "embedder").first().waitFor();
    await row(checks, "PostgreSQL").waitFor();
    for (const service of ["search", "embedder", "graph", "backup"]) assert.ok((await row(replicas, service).count()) > 0, service);
    const said = (label) => page.getByRole("img", { name: label }).getAttribute("aria-label");
    assert.match(await said(/^Searches: /), /^Searches: ([3-9]|\d{2,}) in \d+ min/);
    assert.match(await said(/^Search, 95 of 100 within: /), /within: (more than )?[\d.]+ m?s/);
    assert.match(await said(/^Answers from the cache: /), /: \d+ %/);
    // what the services said of themselves
    await page.getByRole("img", { name: /^Recall of vector searches: [\d.]+ %, least [\d.]+ %$/ }).waitFor({ timeout: 60_000 });
    for (const service of ["Search", "Graph"]) assert.match(await said(new RegExp(`^${service}, behind the record: `)), /: (shows all|[\d.]+ m?s now), most [\d.]+ m?s/);
    for (const service of ["search", "graph"]) assert.match(await said(new RegExp(`^PostgreSQL, in use by ${service}: `)), /: \d+ of [1-9]\d* now, most \d+/);
    await row(checks, "Response times").getByText(/searches of the last 15 minutes took/).waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".chart-line[d*=L]").length > 0, null, { timeout: 60_000 });
    await look(page, "operations");
    await closePage(page);
});

test("the overview: requests that were slow, and what to do", async () => {
    const page = await openPage("admin", "/operations");
    const real = await (await page.request.get("/api/admin/stats/history")).json();
    const one = (path, more) => ({ operation: path, method: "POST", path, requests: 10, errors: 0, mean: 0.1, p50: 0.1, p95: 0.25, beyond: 0, ...more });
    // of many steps in a row one alone had a search: it is seen, as a dot
    const idle = { ...real.steps.at(-1), seconds: 15, search_p95: null };
    const steps = [idle, { ...idle, search_p95: 2.5 }, idle];
    const routes = [one("/api/search", { p50: 2.5, p95: 5 }), one("/api/documents", { p50: 5, p95: 10, beyond: 2 }), one("/api/embed")];
    await page.route("**/api/admin/stats/history", (route) => route.fulfill({ json: { ...real, routes, steps } }));
    await page.reload();
    const dot = page.getByRole("img", { name: /^Search, 95 of 100 within: / }).locator("path");
    assert.match(await dot.getAttribute("d"), /^M[\d. ]+l0 0$/);
    const slow = page.getByRole("table", { name: /^Slow requests of the last/ });
    await slow.waitFor();
    assert.equal(await slow.locator("tbody tr").count(), 2, "what is quick is not among them");
    assert.match(await row(slow, "/api/search").innerText(), /2\.5 s[^]*5\.0 s[^]*replicas/);
    assert.match(await row(slow, "/api/documents").innerText(), /more than 10 s[^]*as jobs/);
    await closePage(page);
});

test("the overview: what no service said is a gap and a word, never 0", async () => {
    const page = await openPage("admin", "/operations");
    const real = await (await page.request.get("/api/admin/stats/history")).json();
    const unknown = { search_recall: null, search_lag: null, graph_lag: null, search_pool_size: null, search_pool_active: null, graph_pool_size: null, graph_pool_active: null };
    const known = { ...real.steps.at(-1), seconds: 15, search_recall: 0.875, search_lag: 4, graph_lag: 0, search_pool_size: 5, search_pool_active: 2, graph_pool_size: 4, graph_pool_active: 0 };
    const away = { ...known, ...unknown };
    await page.route("**/api/admin/stats/history", (route) => route.fulfill({ json: { ...real, sums: { ...real.sums, ...unknown }, steps: [known, { ...known, search_recall: 1 }, away, known, away] } }));
    await page.reload();
    const chart = (label) => page.getByRole("img", { name: label });
    const recall = chart(/^Recall of vector searches: none measured, least 87\.5 %$/);
    await recall.waitFor();
    assert.match(await recall.locator("path").getAttribute("d"), /^M[\d. ]+L[\d. ]+M[\d. ]+l0 0$/, "a line, a gap, a dot");
    await chart(/^Search, behind the record: not known, most 4\.0 s$/).waitFor();
    await chart(/^Graph, behind the record: not known, most 0\.0 ms$/).waitFor();
    await chart(/^PostgreSQL, in use by search: not known, most 2$/).waitFor();
    await look(page, "operations-unknown");
    await closePage(page);
});

test("by keyboard: a backup is made and read again; the last good one stays", async () => {
    const page = await openPage("admin", "/operations?tab=backups");
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    await tabTo(page, ".button-primary");
    await page.keyboard.press("Enter");
    await dialog(page).waitFor();
    await page.getByLabel("What of").selectOption("config");
    await page.getByLabel("Label").fill(label);
    await tabTo(page, "dialog .button-primary");
    await page.keyboard.press("Enter");
    const set = row(page, label);
    await set.waitFor({ timeout: 60_000 });
    await page.reload(); // that a set came and moved the rest is no fault
    await set.waitFor();
    await look(page, "operations-backups");
    await set.getByRole("button", { name: "Restore" }).click();
    await page.getByLabel("Where to").selectOption("live");
    const restore = dialog(page).getByRole("button", { name: "Restore", exact: true });
    assert.ok(await restore.isDisabled(), "nothing is replaced before the set's name was typed");
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await set.getByRole("button", { name: "Verify" }).click();
    await row(page, "verify").filter({ hasText: "done" }).filter({ hasText: /all of it was read/ }).waitFor({ timeout: 60_000 });
    const name = await set.locator("code").innerText();
    await set.filter({ hasText: /verify by \S+, .*: all of it was read/ }).waitFor(); // the set itself says so, too
    await set.getByRole("button", { name: "Delete" }).click();
    await dialog(page).getByRole("button", { name: "Delete" }).click();
    // the only good one is never deleted, and the page says so in words
    const refused = row(page, "delete").filter({ hasText: "failed" })
        .filter({ has: page.locator("code", { hasText: name }) }); // a failed run names its set
    await refused.waitFor({ timeout: 60_000 });
    assert.match(await refused.innerText(), /last/);
    assert.equal(await set.count(), 1);
    await closePage(page);
});

test("a physical set is restored as it was at a moment", async () => {
    const page = await openPage("admin", "/operations?tab=backups");
    await page.getByRole("button", { name: "Make a backup" }).click();
    await page.getByLabel("What of").selectOption("physical");
    await page.getByLabel("Label").fill("any moment");
    await page.getByRole("button", { name: "Make it" }).click();
    const set = row(page, "any moment");
    await set.waitFor({ timeout: 120_000 });
    await set.getByRole("button", { name: "Restore" }).click();
    await page.getByLabel("Where to").selectOption("live");
    assert.match(await dialog(page).innerText(), /the end of the stored log/);
    await page.getByLabel("As it was at").fill("2020-01-31T12:00:00Z");
    assert.match(await dialog(page).innerText(), /what they were at 2020-01-31T12:00:00Z/);
    await page.getByLabel("Where to").selectOption("scratch");
    await dialog(page).getByRole("button", { name: "Restore", exact: true }).click();
    const refused = row(page, "restore").filter({ hasText: "failed" });
    await refused.waitFor({ timeout: 60_000 });
    assert.match(await refused.innerText(), /an older one is needed/); // the moment has arrived
    await closePage(page);
});

test("a run of backups is shown as the server tells of it, not as the list has it", async () => {
    const run = {
        run_id: "0".repeat(32), kind: "create", state: "running", stage: "dump", done: 0, total: 0, code: "", error: "", created_by: "ops",
        created_at: "2026-01-31T12:00:00.000Z", started_at: "2026-01-31T12:00:00.000Z", finished_at: null, result: null,
    };
    const page = await openPage("admin", "/operations?tab=backups");
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    await page.route("**/api/backups/runs", (route) => route.fulfill({ json: { runs: [run] } }));
    const told = (name, more) => `event: ${name}\nid: 1\ndata: ${JSON.stringify({ ...run, ...more })}\n\n`;
    let streams = 0;
    await page.route("**/api/backups/runs/*/events", (route) => {
        streams += 1;
        // the first stream breaks in the middle, and is taken up again
        const body = streams === 1 ? "retry: 1\n" + told("progress", { stage: "copy", done: 1, total: 4 }) : told("end", { state: "failed", error: "the disk is full" });
        return route.fulfill({ contentType: "text/event-stream", body });
    });
    await row(page, "the disk is full").waitFor({ timeout: 30_000 });
    await row(page, "create").getByText("failed").waitFor();
    assert.equal(streams, 2, "what has ended is not watched any more");
    await closePage(page);
});

test("a restore is undone once, then it is a redo, and each says so", async () => {
    const page = await openPage("admin", "/operations?tab=backups");
    await page.getByText("There is nothing to undo").waitFor();
    assert.ok(await page.getByRole("button", { name: "Undo a restore" }).isDisabled());
    const real = await (await page.request.get("/api/backups/schedule")).json();
    assert.deepEqual(real.undo, { what: "nothing", set: "" });
    const undo = { what: "undo", set: "2026-01-31-a-set" };
    await page.route("**/api/backups/schedule", (route) => route.fulfill({ json: { ...real, schedule: "0 2 * * *", undo } }));
    let confirmed = "";
    await page.route("**/api/backups/undo", (route) => {
        confirmed = route.request().postDataJSON().confirm;
        return route.fulfill({ status: 202, json: {} });
    });
    for (const [what, name, keeps] of [["undo", "Undo", /API keys[^]*gone[^]*revoked/], ["redo", "Redo", /since the undo is put aside/]]) {
        undo.what = what;
        await page.reload();
        await page.getByText("every day at 02:00").waitFor();
        await page.getByRole("button", { name: `${name} the restore` }).click();
        assert.match(await dialog(page).innerText(), keeps);
        await dialog(page).getByText("2026-01-31-a-set").waitFor();
        const yes = dialog(page).getByRole("button", { name: `${name} it` });
        assert.ok(await yes.isDisabled(), "not before the word was typed");
        await page.getByLabel(`Type ${what} to confirm`).fill(what);
        await yes.click();
        await dialog(page).waitFor({ state: "detached" });
        assert.equal(confirmed, what);
    }
    await closePage(page);
});

test("what would be removed is told when the run that looks has ended", async () => {
    const page = await openPage("admin", "/operations?tab=backups");
    const watched = page.waitForRequest(/\/api\/backups\/runs\/[0-9a-f]+\/events$/);
    await page.getByRole("button", { name: "Remove old ones" }).click();
    await watched;
    await dialog(page).getByText("Every set is kept by a rule.").waitFor({ timeout: 60_000 });
    await page.keyboard.press("Escape");
    await closePage(page);
});

test("a user is added, with an error in words first, changed and deleted", async () => {
    const page = await openPage("admin", "/operations?tab=users");
    await page.getByRole("button", { name: "Add a user" }).click();
    await dialog(page).locator("[name=username]").fill("ops-new");
    await dialog(page).locator("[name=new-password]").fill("short");
    await dialog(page).getByRole("button", { name: "Add", exact: true }).click();
    await dialog(page).getByRole("alert").waitFor();
    await dialog(page).locator("[name=new-password]").fill("Correct-Horse-42");
    await dialog(page).getByRole("button", { name: "Add", exact: true }).click();
    const account = row(page, "ops-new");
    await account.waitFor();
    await page.reload(); // that a user came and moved the rest is no fault
    await account.waitFor();
    await look(page, "operations-users");
    await account.getByRole("button", { name: "Change" }).click();
    await dialog(page).getByLabel("Role").selectOption("academic");
    await dialog(page).getByRole("button", { name: "Save" }).click();
    await account.getByText("academic").waitFor();
    await account.getByRole("button", { name: "Delete" }).click();
    await dialog(page).getByRole("button", { name: "Delete" }).click();
    await account.waitFor({ state: "detached" });
    await closePage(page);
});

test("roles are shown, and whence they come", async () => {
    const page = await openPage("admin", "/operations?tab=roles");
    await row(page, "academic").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 5);
    assert.match(await row(page, "staff").innerText(), /3[^]*own department[^]*50/);
    await page.getByText(/SIGHUP/).waitFor();
    await row(page, "student").getByText("permissions").click();
    await row(page, "student").getByText("read documents").waitFor();
    await look(page, "operations-roles");
    await closePage(page);
});

test("a key is shown once and revoked", async () => {
    const page = await openPage("admin", "/operations?tab=keys");
    await page.getByRole("button", { name: "Make an API key" }).click();
    await dialog(page).locator("[name=name]").fill(keyName);
    const tick = (name) => dialog(page).getByRole("checkbox", { name, exact: true });
    await dialog(page).getByRole("checkbox", { name: "operate", exact: true, disabled: true }).waitFor(); // what staff may not
    await dialog(page).getByLabel("Role").selectOption("admin");
    assert.ok(await tick("operate").isEnabled());
    await dialog(page).getByLabel("Role").selectOption("staff");
    await dialog(page).getByRole("button", { name: "Make it" }).click();
    const secret = dialog(page).locator(".secret");
    await secret.waitFor();
    const key = await secret.innerText();
    assert.ok(key.length > 20);
    await dialog(page).getByRole("button", { name: "I have kept it" }).click();
    const made = row(page, keyName);
    await made.waitFor();
    assert.ok(!(await page.content()).includes(key));
    await page.reload(); // that a key came and moved the rest is no fault
    await made.waitFor();
    await look(page, "operations-keys");
    await made.getByRole("button", { name: "Revoke" }).click();
    await dialog(page).getByRole("button", { name: "Revoke" }).click();
    await made.getByText("revoked").waitFor();
    await closePage(page);
});

test("a key that may not be is refused in words that name the role and what it lacks", async () => {
    const page = await openPage("admin", "/login");
    await page.waitForURL("**/search");
    await page.route("**/api/admin/roles", async (route) => { // as it was before somebody changed the role
        const list = await (await route.fetch()).json();
        list.roles.find((role) => role.name === "staff").permissions.push("admin_keys");
        await route.fulfill({ json: list });
    });
    await page.goto("/operations?tab=keys");
    await page.getByRole("button", { name: "Make an API key" }).click();
    await dialog(page).locator("[name=name]").fill("never made");
    await dialog(page).getByRole("checkbox", { name: "admin keys", exact: true }).check();
    await dialog(page).getByRole("button", { name: "Make it" }).click();
    assert.match(await dialog(page).getByRole("alert").innerText(), /The role staff has no permission admin.keys\./);
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    assert.equal(await row(page, "never made").count(), 0);
    await closePage(page);
});

test("the audit log: acts are not buried by what pages read by themselves", async () => {
    const page = await openPage("admin", "/operations?tab=users");
    await row(page, "web-staff").waitFor(); // read: a record of it is on its way
    await page.waitForFunction(async () => (await (await fetch("/api/admin/audit?action=list_users")).json()).records.length > 0);
    await page.goto("/operations?tab=audit&kind=all");
    const read = row(page, "list users").first();
    await read.waitFor();
    await page.getByLabel("Kind").selectOption({ label: "Acts: changes, sign-ins, refusals" });
    await page.waitForURL((url) => !url.searchParams.has("kind"));
    await read.waitFor({ state: "detached" });
    await row(page, "login").first().waitFor();
    await page.getByLabel("Action").selectOption("list_users");
    await read.waitFor();
    await row(page, "login").first().waitFor({ state: "detached" });
    assert.ok(await page.getByLabel("Kind").isDisabled(), "an action has its kind");
    await closePage(page);
});

test("the audit log by outcome, errors, models", async () => {
    const student = await openPage("student", "/search");
    assert.equal((await student.request.get("/api/admin/audit")).status(), 403);
    await closePage(student);
    const page = await openPage("admin", "/operations?tab=audit");
    // records are on their way for a moment, and the page reads the log once
    await page.waitForFunction(async () => (await (await fetch("/api/admin/audit?outcome=denied")).json()).records.length > 0);
    await page.reload();
    await row(page, "login").first().waitFor();
    await page.getByLabel("Outcome").selectOption("denied");
    await page.waitForURL("**outcome=denied**");
    await page.waitForFunction(() => {
        const outcomes = [...document.querySelectorAll("tbody .badge")];
        return outcomes.length > 0 && outcomes.every((one) => one.textContent.startsWith("denied"));
    });
    await page.getByLabel("Outcome").selectOption("");
    await row(page, "login").first().waitFor();
    await page.reload();
    await row(page, "login").first().waitFor();
    await look(page, "operations-audit");
    await page.getByRole("tab", { name: "Errors" }).click();
    await page.getByText(/a minute\./).waitFor();
    await page.getByRole("tab", { name: "Models and cache" }).click();
    await row(page, "live").waitFor();
    await page.getByRole("button", { name: "Forget all" }).click();
    await dialog(page).getByRole("button", { name: "Forget them" }).click();
    await page.getByText("All kept answers are forgotten.").waitFor();
    await look(page, "operations-models");
    await closePage(page);
});

test("who may not see it is told so", async () => {
    const page = await openPage("student", "/operations");
    await page.getByText(/not|may/i).first().waitFor();
    assert.equal(await page.getByRole("tab").count(), 0);
    await closePage(page);
});

/** A file of documents whose last line has not come: its job is open until end() is called. */
async function openJob(page) {
    const me = await (await page.request.get("/api/auth/me")).json();
    const cookies = await page.context().cookies();
    const call = request(base + "/api/documents/batch", {
        method: "POST",
        headers: { "Content-Type": "application/x-ndjson", "X-CSRF-Token": me.csrf_token, Cookie: cookies.map((one) => `${one.name}=${one.value}`).join("; ") },
    });
    const answered = new Promise((done) => {
        call.on("response", (answer) => answer.resume().on("end", () => done(answer.statusCode)));
        call.on("error", () => done(0)); // the server need not read to the end of what was cancelled
    });
    call.write('{"id":"ops-job","title":"Of a job","text":"Nets are mended on Mondays."}\n');
    return { answered, end: () => call.end() };
}

test("jobs: one ends while it is looked at, another is cancelled by keyboard", async () => {
    const page = await openPage("admin", "/operations?tab=jobs");
    const lines = page.getByRole("list", { name: "Jobs" }).getByRole("listitem");
    const followed = page.waitForRequest("**/events"); // by itself
    const first = await openJob(page);
    await followed;
    first.end();
    assert.equal(await first.answered, 202);
    await lines.first().getByText("1 of 1 done").waitFor();
    await lines.first().getByText("Done", { exact: true }).waitFor();
    const second = await openJob(page);
    const cancel = lines.first().getByRole("button", { name: "Cancel" });
    await cancel.waitFor();
    await page.reload(); // that a job came and moved the rest is no fault
    await cancel.waitFor();
    await look(page, "operations-jobs");
    await cancel.press("Enter");
    await lines.first().getByText("Cancelled").waitFor();
    second.end();
    await second.answered;
    await page.getByLabel("State").selectOption("cancelled");
    await page.waitForURL("**state=cancelled**");
    await lines.first().getByText("Cancelled").waitFor();
    const me = await (await page.request.get("/api/auth/me")).json();
    const gone = await page.request.delete("/api/documents/ops-job", { headers: { "X-CSRF-Token": me.csrf_token } });
    assert.ok(gone.ok(), await gone.text()); // others count what they find
    await closePage(page);
});
