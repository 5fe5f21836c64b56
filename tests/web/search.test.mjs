// The search page: its main task, what one can do with results, by keyboard, at all sizes.
import assert from "node:assert/strict";
import test from "node:test";
import { closePage, look, openPage, useBrowser } from "./support/browser.mjs";

useBrowser();

const found = (page) => page.locator(".result");
const titles = (page) => page.locator("[data-result]").allInnerTexts();

test("by keyboard alone: ask, go through the results, open one", async () => {
    const page = await openPage("staff", "/documents");
    await page.locator(".account").waitFor();
    await page.keyboard.press("/");
    await page.waitForURL("**/search");
    await page.waitForFunction(() => document.activeElement?.matches("[data-search-box]"));
    await page.keyboard.type("password reset");
    await page.keyboard.press("Enter");
    await found(page).first().waitFor();
    assert.equal(new URL(page.url()).searchParams.get("q"), "password reset");
    assert.match((await titles(page))[0], /Passwords and Accounts/);
    assert.ok((await page.locator(".result mark").allInnerTexts()).includes("password"));
    assert.match(await page.locator(".result-place").first().innerText(), /page 15/);
    const isAt = async (what) => assert.ok(await what.evaluate((one) => one === document.activeElement));
    const [first, second] = [page.locator("[data-result]").first(), page.locator("[data-result]").nth(1)];
    await page.keyboard.press("ArrowDown");
    await isAt(first);
    await page.keyboard.press("ArrowUp");
    const box = page.getByRole("combobox", { name: "Search" });
    await isAt(box);
    await page.keyboard.press("Escape");
    assert.equal(await box.inputValue(), "password reset", "what the results are of stays");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await isAt(second);
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("k");
    await isAt(first);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/documents/university-password-guide?passage=*");
    await page.locator(".passage[aria-current] mark").first().waitFor();
    await page.getByRole("tab", { name: "Text" }).click();
    await page.locator(".section-text mark").filter({ hasText: /^reset$/i }).first().waitFor();
    await look(page, "document-marked");
    await page.getByRole("link", { name: "Back to the results for “password reset”" }).click();
    await page.waitForURL("**/search?q=password+reset");
    await found(page).first().waitFor();
    await page.goBack();
    await page.locator(".section-text").first().waitFor();
    await page.locator("h1").focus();
    await page.keyboard.press("/"); // with its question
    await page.waitForURL("**/search?q=password+reset");
    await closePage(page);
});

test("results in both themes and at all widths, whole and with their reasons", async () => {
    const page = await openPage("admin", "/search?q=password+reset");
    await found(page).first().waitFor();
    await look(page, "search");
    await page.getByLabel("Why these").check();
    await page.locator(".result .why").first().waitFor();
    assert.match(await page.locator(".result .why > p").first().innerText(), /^Found because it has: password, reset\. Its meaning counts, too\./);
    assert.match(await page.locator(".why-plan > p").innerText(), /^\d+ passages with at least one of your words\.$/);
    await page.locator(".why summary").evaluateAll((all) => all.forEach((one) => one.click()));
    const why = await page.locator(".result .why").first().innerText();
    assert.match(why, /BM25 \d/);
    assert.match(why, /cosine 0\.\d/);
    assert.match(await page.locator(".why-plan").innerText(), /req_/);
    await page.getByRole("button", { name: "More of result 1" }).click();
    await page.getByRole("button", { name: "Similar passages to result 1", exact: true }).click();
    await page.locator(".similar li").first().waitFor();
    assert.ok(!(await page.locator(".similar a").allInnerTexts()).some((text) => /Passwords and Accounts/.test(text)), "of other documents");
    await look(page, "search-why");
    await closePage(page);
});

test("the start, and an answer of nothing", async () => {
    const page = await openPage("student", "/search");
    await page.getByRole("heading", { name: "Find it" }).waitFor();
    await look(page, "search-start");
    await page.getByRole("combobox", { name: "Search" }).fill("a question that is so long that no telephone has the room for it in one line of its screen");
    await page.keyboard.press("Enter");
    await found(page).first().waitFor();
    await page.locator(".brand").click();
    await page.getByRole("button", { name: /^a question that is so long/ }).waitFor();
    await look(page, "search-start-lately");
    await page.getByRole("button", { name: "Forget them" }).click();
    await page.goto("/search?q=" + encodeURIComponent("+zyxwvutsrq +qqqq") + "&mode=text");
    await page.getByText("Nothing was found").waitFor();
    await closePage(page);
});

test("facets narrow, the address says so, and another browser sees the same", async () => {
    const page = await openPage("admin", "/search?q=staff");
    await found(page).first().waitFor();
    const group = page.getByRole("region", { name: "Department" });
    const facet = group.getByRole("button").first();
    const [name, count] = (await facet.innerText()).split("\n");
    assert.match(count, /^\d+$/);
    await facet.click();
    await page.waitForURL((url) => url.searchParams.get("f.department") === name);
    await page.waitForFunction(
        ([wanted, n]) => {
            const told = document.querySelector(".told")?.textContent ?? "";
            return new RegExp(`^${n} (closest )?passage`).test(told) && [...document.querySelectorAll(".result")].every((one) => one.textContent.includes(wanted));
        },
        [name, count],
    );
    await group.getByRole("button").nth(1).waitFor(); // what else could be chosen; nothing is under way any more
    const chosen = group.getByRole("button", { pressed: true });
    assert.deepEqual((await chosen.innerText()).split("\n"), [name, count], "counted without itself");
    await page.getByText("Counted over every passage that was found.").waitFor();
    const here = await titles(page);
    const other = await openPage("admin", page.url());
    await found(other).first().waitFor();
    assert.deepEqual(await titles(other), here);
    await closePage(other);
    await page.getByRole("button", { name: "Remove all filters" }).click();
    await page.waitForURL((url) => !url.searchParams.has("f.department"));
    await closePage(page);
});

test("what was asked and is nowhere is told, and no figure looks like certainty", async () => {
    const page = await openPage("admin", "/search?q=" + encodeURIComponent("zzqqxx yyvvkk"));
    await page.getByText("None of your words is in these passages").waitFor();
    assert.match(await page.locator(".told").innerText(), /^\d+ closest passages in /);
    assert.doesNotMatch(await page.locator(".result-foot").first().innerText(), /\d\.\d|%/);
    await look(page, "search-wordless");
    await page.goto("/search?q=" + encodeURIComponent("password zzqqxx"));
    await page.getByText("In none of the results on this page: “zzqqxx”").waitFor();
    await page.goto("/search?q=" + encodeURIComponent("passwords resetting -zzqqxx"));
    await found(page).first().waitFor();
    assert.equal(await page.getByText("In none of the results").count(), 0, "nearly the same word, and one that must not be there");
    await page.goto("/search?mode=text&q=password");
    await page.locator(".told").filter({ hasText: /^\d+ passages? in / }).waitFor();
    await page.goto("/search?mode=vector&q=password");
    await page.locator(".told").filter({ hasText: /^\d+ closest passages in / }).waitFor();
    await closePage(page);
});

test("long names keep to the filters' column; numbers that are measured are no filter", async () => {
    const page = await openPage("admin", "/login");
    await page.waitForURL("**/search");
    const long = "a collection of a name that is much longer than the column of the filters is wide";
    await page.route("**/api/collections?*", (route) => route.fulfill({ json: { collections: [{ name: long, title: "", defined: true, documents: 3 }],
        pagination: { page: 1, per_page: 100, total_count: 1, total_pages: 1, has_next: false, has_prev: false } } }));
    await page.route("**/api/search", async (route) => {
        const answer = await (await route.fetch()).json();
        const numbers = (field, values) => ({ field, distinct: values.length, values: values.map((value) => ({ value, count: 1 })) });
        answer.facets.fields = [numbers("eccentricity", [0, 0.00676399, 0.009]), numbers("mass", [1, 17, 93, 212, 418]),
            { field: "size", distinct: 2, values: [{ value: 1, count: 9 }, { value: 2, count: 4 }] },
            { field: "kind", distinct: 1, values: [{ value: long, count: 5 }] }];
        await route.fulfill({ json: answer });
    });
    await page.goto("/search?q=staff");
    await page.getByRole("region", { name: "Size" }).waitFor();
    assert.deepEqual(await page.locator(".facet h2").allInnerTexts(), ["Kind", "Size"]);
    await page.setViewportSize({ width: 1280, height: 900 });
    const right = async (selector) => page.locator(selector).evaluateAll((all) => Math.max(...all.map((one) => one.getBoundingClientRect().right)));
    assert.ok((await right(".facets *")) <= (await page.locator(".found").boundingBox()).x, "nothing lies under the results");
    await look(page, "search-long-names");
    await closePage(page);
});

test("what one may not read is in no facet", async () => {
    const counts = async (who) => {
        const page = await openPage(who, "/search?q=staff");
        await page.getByRole("region", { name: "Clearance" }).getByRole("button").first().waitFor();
        const texts = await page.getByRole("region", { name: "Clearance" }).getByRole("button").allInnerTexts();
        await closePage(page);
        return Object.fromEntries(texts.map((text) => text.split("\n")));
    };
    const [admin, student] = [await counts("admin"), await counts("student")];
    assert.ok(Object.keys(admin).some((level) => level > 2));
    assert.ok(Object.keys(student).every((level) => level <= 2));
});

test("the mode is chosen, and back goes back", async () => {
    const page = await openPage("admin", "/search?q=password");
    await found(page).first().waitFor();
    const asked = page.waitForRequest((request) => request.url().endsWith("/api/search") && request.postDataJSON().config.mode === "vector");
    await page.getByRole("radio", { name: "Meaning" }).check({ force: true });
    await asked;
    await page.waitForURL("**mode=vector");
    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has("mode"));
    await page.waitForFunction(() => document.querySelector("[name=mode][value=hybrid]").checked); // drawn after the address
    await closePage(page);
});

test("suggestions: what was searched lately, by arrow keys", async () => {
    const page = await openPage("student", "/search?q=eduroam");
    await found(page).first().waitFor();
    const box = page.getByRole("combobox", { name: "Search" });
    await box.fill("library opening hours");
    await box.press("Enter");
    await page.waitForURL("**q=library*");
    await box.fill("");
    await box.pressSequentially("lib");
    const list = page.getByRole("listbox", { name: "Suggestions" });
    await list.getByRole("option", { name: /library opening hours/ }).waitFor();
    await box.press("ArrowDown");
    assert.ok(await box.getAttribute("aria-activedescendant"));
    await box.press("Escape");
    await list.waitFor({ state: "detached" });
    await box.press("ArrowDown");
    await list.waitFor();
    await box.press("ArrowDown");
    await box.press("Enter");
    await page.waitForURL("**q=library+opening+hours*");
    await closePage(page);
});

test("suggestions of the server: a word completed, a title that leads to its document", async () => {
    const page = await openPage("staff", "/search");
    const box = page.getByRole("combobox", { name: "Search" });
    const list = page.getByRole("listbox", { name: "Suggestions" });
    const asked = [];
    page.on("request", (request) => request.url().includes("/api/suggest") && asked.push(new URL(request.url()).searchParams.get("q")));
    await box.pressSequentially("old harb");
    const title = list.getByRole("option", { name: /The Old Harbour.*document/ });
    await title.waitFor();
    assert.ok(asked.length < "old harb".length, `not for every key: ${asked}`);
    const word = list.getByRole("option", { name: "old harbour", exact: true });
    await word.waitFor();
    assert.equal(await word.locator("b").innerText(), "our");
    await page.getByRole("status").filter({ hasText: /^\d suggestions$/ }).waitFor();
    await look(page, "search-suggestions");
    await box.press("ArrowDown");
    assert.equal(await word.getAttribute("aria-selected"), "true");
    assert.equal(await box.getAttribute("aria-activedescendant"), await word.getAttribute("id"));
    await box.press("Enter");
    await page.waitForURL("**q=old+harbour");
    await box.fill("the old");
    await title.waitFor();
    await list.getByRole("option").first().filter({ hasText: "The Old Harbour" }).waitFor(); // a title that begins so
    await box.press("ArrowDown");
    await box.press("Enter");
    await page.waitForURL("**/documents/harbour");
    const heading = page.locator("h1");
    await heading.focus();
    assert.equal(await heading.evaluate((one) => getComputedStyle(one).outlineStyle), "none", "a heading is not framed as an input is");
    await closePage(page);
});

test("without suggestions the box goes on, and asks no more for a while", async () => {
    const page = await openPage("staff", "/search");
    let asked = 0;
    await page.route("**/api/suggest?*", (route) => {
        asked += 1;
        return route.fulfill({ status: 429, contentType: "application/problem+json", headers: { "Retry-After": "60" },
            body: JSON.stringify({ status: 429, code: "rate_limited", error: "slow down" }) });
    });
    const box = page.getByRole("combobox", { name: "Search" });
    const refused = page.waitForResponse("**/api/suggest?*");
    await box.fill("pass");
    await refused;
    await box.fill("password");
    await box.press("Enter");
    await found(page).first().waitFor();
    assert.equal(asked, 1);
    assert.equal(await page.getByRole("alert").count(), 0);
    await closePage(page);
});

test("what was searched is nobody else's to see", async () => {
    const page = await openPage("staff", "/search");
    await page.getByRole("combobox", { name: "Search" }).fill("a private matter");
    await page.keyboard.press("Enter");
    await page.waitForURL("**q=a+private+matter");
    await page.locator(".brand").click();
    await page.getByRole("button", { name: "a private matter" }).waitFor();
    await closePage(page);
    const other = await openPage("admin", "/search");
    await other.locator(".account").waitFor();
    assert.equal(await other.getByText("a private matter").count(), 0);
    await closePage(other);
    const again = await openPage("staff", "/search");
    await again.getByRole("button", { name: "a private matter" }).waitFor();
    await again.locator(".account summary").click();
    await again.getByRole("button", { name: "Sign out" }).click();
    await again.waitForURL("**/login");
    assert.ok(!(await again.evaluate(() => JSON.stringify(localStorage))).includes("private"));
    await closePage(again);
});

test("what was stored as text has no original, and none is asked for", async () => {
    const page = await openPage("admin", "/search?q=" + encodeURIComponent("university passwords and accounts"));
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await found(page).first().waitFor();
    await page.getByRole("button", { name: "More of result 1" }).click();
    await page.locator(".result-full").waitFor();
    await page.locator("[data-result]").first().click();
    await page.waitForURL("**/documents/*");
    await page.getByRole("tab", { name: "Text" }).waitFor();
    assert.deepEqual(asked.filter((path) => path.endsWith("/file")), []);
    assert.equal(await page.getByRole("link", { name: /Download|original/ }).count(), 0);
    await closePage(page);
});

test("the original of a PDF opens at the page", async () => {
    const page = await openPage("admin", "/search?q=" + encodeURIComponent("cormorants on the harbour wall"));
    await found(page).first().waitFor();
    assert.match((await titles(page))[0], /Harbour/);
    await page.getByRole("button", { name: "More of result 1" }).click();
    const link = page.getByRole("link", { name: /Open the original at page 2/ });
    await link.waitFor();
    const address = new URL(await link.getAttribute("href"), page.url());
    assert.equal(address.hash, "#page=2");
    const file = await page.context().request.get(address.pathname + address.search);
    assert.equal(file.status(), 200);
    assert.match(file.headers()["content-disposition"], /^inline;/);
    assert.equal(file.headers()["content-type"], "application/pdf");
    await closePage(page);
});

test("what is missing or refused is said in words", async () => {
    const page = await openPage("admin", "/login");
    await page.waitForURL("**/search");
    const answer = { results: [], count: 0, total: 0, query: "x", response_time: 0.1, from_cache: false, request_id: "req_1",
        user_id: null, timestamp: 1, mode: "hybrid", degraded: ["embedding"], expanded: [] };
    await page.route("**/api/search", (route) => route.fulfill({ json: answer }));
    await page.goto("/search?q=anything");
    await page.getByText("Meaning was not searched").waitFor();
    await page.unroute("**/api/search");
    await page.route("**/api/search", (route) =>
        route.fulfill({ status: 429, contentType: "application/problem+json", headers: { "Retry-After": "30" },
            body: JSON.stringify({ status: 429, code: "rate_limited", error: "slow down" }) }));
    await page.goto("/search?q=again");
    assert.match(await page.getByRole("alert").innerText(), /too much in a short time.*in 30 seconds/s);
    await page.unroute("**/api/search");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await closePage(page);
});
