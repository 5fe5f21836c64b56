// The graph's pages: overview, labels, nodes, picture, query.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
    const told = await importAs("ndjson", university());
    assert.match(told, /"status":\s*"done"/);
    assert.match(told, /"failed":\s*0/);
}

/** The last line of the answer is the sum. */
async function importAs(format, lines) {
    const page = await openPage("admin", "/graph");
    const told = await page.evaluate(async ([format, lines]) => {
        const me = await (await fetch("/api/auth/me")).json();
        const answer = await fetch(`/api/graph/import?format=${format}&refresh=true`, {
            method: "POST", body: lines, headers: { "X-CSRF-Token": me.csrf_token, "Content-Type": "application/octet-stream" },
        });
        return answer.text();
    }, [format, lines]);
    await page.close();
    return told.trim().split("\n").at(-1);
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
    await labels.locator("th[aria-sort=ascending]").waitFor();
    const names = await labels.locator(".label-link").allInnerTexts();
    assert.deepEqual(names, [...names].sort((a, b) => a.localeCompare(b)));
    await page.getByRole("tab", { name: "Labels" }).focus();
    await page.keyboard.press("ArrowRight");
    const types = page.getByRole("table", { name: "Relationship types" });
    assert.match(await types.getByRole("row", { name: /KNOWS/ }).innerText(), /59[^]*Person[^]*Person/);
    await page.keyboard.press("ArrowRight");
    await page.getByRole("table", { name: "Property keys" }).getByRole("row", { name: /credits/ }).waitFor();
    await closePage(page);
});

test("the nodes of a label: pages, order, a filter, by keyboard", async () => {
    const page = await open("staff", "/graph/labels/Person");
    const rows = page.getByRole("table").locator("tbody tr");
    await page.getByText("Page 1 of 3").waitFor();
    assert.equal(await rows.count(), 20);
    await look(page, "graph-label");
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("Page 2 of 3").waitFor();
    await page.getByRole("button", { name: "born" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.waitForURL("**sort=-born**");
    await rows.first().getByText("1999").waitFor();
    await page.getByLabel("Property", { exact: true }).selectOption("born");
    await page.getByLabel("is", { exact: true }).focus();
    await page.keyboard.type("1961");
    await page.keyboard.press("Enter");
    await page.getByText("2 nodes that the filters leave").waitFor();
    assert.equal(await rows.count(), 2);
    await page.getByRole("button", { name: "Remove the filter born" }).click();
    await page.getByText("60 nodes").waitFor();
    await closePage(page);
});

test("a label that nobody has, and a node that is not there, are said so", async () => {
    const page = await open("staff", "/graph/labels/Nobody%60)%20DETACH");
    await page.getByText("There are no such nodes").waitFor();
    await page.goto("/graph/nodes/nobody");
    await page.getByText("There is no such node").waitFor();
    await closePage(page);
});

test("a node: found by its name, its relationships in portions", async () => {
    const page = await open("staff", "/graph");
    await page.locator("[data-search-box]").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("mathemat");
    await page.getByRole("option", { name: /Mathematics/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/graph/nodes/department-0");
    await page.getByRole("heading", { name: "Mathematics" }).waitFor();
    await page.getByText("19 relationships").waitFor();
    const works = page.locator(".group", { hasText: "WORKS_IN" });
    await works.getByRole("link", { name: "Ada Aalto" }).waitFor();
    await look(page, "graph-node");
    assert.equal(await works.locator("li").filter({ has: page.getByRole("link") }).count(), 10);
    await works.getByRole("button", { name: "More of 15" }).click();
    await works.getByRole("link", { name: "Gus Fink" }).waitFor();
    await works.getByRole("button", { name: /More/ }).waitFor({ state: "detached" });
    const housed = page.locator(".group", { hasText: "HOUSED_IN" });
    await housed.locator("summary").focus();
    await page.keyboard.press("Enter");
    await housed.getByRole("link", { name: "Old Harbour House" }).waitFor();
    await closePage(page);
});

test("a picture by keyboard alone: a node, expanded, a way, a saved view, files", async () => {
    const page = await open("staff", "/graph/picture");
    await page.getByText("Nothing is in the picture yet").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("ada aalto");
    await page.getByRole("option", { name: /Ada Aalto/ }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".drawn-box canvas").first().waitFor();
    await page.getByRole("button", { name: "Choose no node" }).press("Enter");
    await page.getByText("Choose a node, in the picture or in the list").waitFor();
    const list = page.getByRole("region", { name: "All nodes of the picture" });
    await list.getByRole("button", { name: /Algebra/ }).waitFor();
    await tabTo(page, ".side-node", 60);
    await list.getByRole("button", { name: /Mathematics/ }).focus();
    await page.keyboard.press("Enter");
    const chosen = page.getByRole("region", { name: "The chosen node" });
    await chosen.getByRole("link", { name: "Mathematics" }).waitFor();
    const how = chosen.getByLabel("Add what it is joined with");
    await how.locator("option", { hasText: "WORKS_IN ← (15)" }).waitFor({ state: "attached" });
    await how.selectOption("WORKS_IN~in");
    await chosen.getByLabel("At most").selectOption("10");
    await chosen.getByRole("button", { name: "Expand" }).press("Enter");
    await page.getByText("Mathematics is joined with more than the 10 that were taken.").waitFor();
    await chosen.getByLabel("Shortest way to").focus();
    await page.keyboard.type("jun fink");
    await page.getByRole("option", { name: /Jun Fink/ }).waitFor();
    await page.keyboard.press("Enter");
    const ways = page.getByRole("region", { name: "Ways" });
    await ways.getByRole("button", { name: /^Mathematics →.*Jun Fink the shortest, \d steps$/ }).waitFor();
    await look(page, "graph-picture");

    await page.getByText("Styles by label").click();
    await page.getByLabel("Colour of Person").selectOption("Red");
    await page.waitForURL("**c.Person=5**");
    await page.getByText("Saved views").click();
    await page.getByLabel("Name of this view").fill("My department");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const told = await page.locator("header .page-lead").innerText();
    let exported = "";
    for (const [kind, begins] of [["SVG", "<svg "], ["PNG", "\x89PNG"], ["CSV", ":ID,:LABEL,"]]) {
        await page.locator(".export summary").click();
        const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: kind }).click()]);
        const contents = readFileSync(await file.path(), "latin1");
        assert.ok(contents.startsWith(begins), kind);
        assert.match(file.suggestedFilename(), new RegExp(`^graph-ada-aalto-[-\\d]+\\.${kind.toLowerCase()}$`));
        if (kind !== "PNG") assert.match(contents, /Jun Fink/);
        if (kind === "CSV") exported = contents;
    }
    await page.goto("/graph/picture");
    await page.getByRole("link", { name: "My department" }).click();
    await page.waitForURL("**c.Person=5**");
    await page.getByRole("region", { name: "All nodes of the picture" }).getByRole("button", { name: /Jun Fink/ }).waitFor();
    assert.equal(await page.locator("header .page-lead").innerText(), told, "the same picture again");
    await closePage(page);
    const sum = JSON.parse(await importAs("csv", exported));
    assert.deepEqual([sum.status, sum.created, sum.replaced, sum.unchanged, sum.failed], ["done", 0, 0, 31, 0], "what was exported is what is there");
});

test("nodes of the same name are told apart by what else is known of them", async () => {
    const meanings = { "twin-1": "a part of a river bank", "twin-2": "an institution for money" };
    const lines = Object.entries(meanings).map(([id, definition]) =>
        JSON.stringify({ kind: "node", id, labels: ["Sense"], properties: { pos: "n", name: "Twinbank", definition } }));
    await importAs("ndjson", lines.join("\n") + "\n");
    const page = await open("staff", "/graph");
    await page.getByLabel("Find a node by name").fill("twinbank");
    await page.getByRole("option", { name: /Twinbank.*a part of a river bank/ }).waitFor();
    await page.getByRole("option", { name: /Twinbank.*an institution for money/ }).click();
    await page.waitForURL("**/graph/nodes/twin-2");
    await closePage(page);
});

test("relationships of the same two nodes bow apart; what is saved has their names and arrows", async () => {
    const lines = [
        { kind: "node", id: "wide", labels: ["Idea"], properties: { name: "Wide idea" } },
        { kind: "node", id: "narrow", labels: ["Idea"], properties: { name: "Narrow idea" } },
        { kind: "edge", id: "up", type: "BROADER", from: "narrow", to: "wide", properties: {} },
        { kind: "edge", id: "down", type: "NARROWER", from: "wide", to: "narrow", properties: {} },
    ];
    await importAs("ndjson", lines.map((one) => JSON.stringify(one)).join("\n") + "\n");
    const page = await open("staff", "/graph/picture?s=expand~wide~~both~50");
    await page.getByText("2 nodes, 2 relationships").waitFor();
    await page.locator(".drawn-box canvas").first().waitFor();
    await look(page, "graph-opposite");
    await page.locator(".export summary").click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "SVG" }).click()]);
    const svg = readFileSync(await file.path(), "utf8");
    const names = [...svg.matchAll(/<text transform="translate\(([-\d.]+) ([-\d.]+)\)[^>]*>(BROADER|NARROWER)</g)];
    assert.equal(names.length, 2);
    const [one, two] = names.map((name) => [Number(name[1]), Number(name[2])]);
    assert.ok(Math.hypot(one[0] - two[0], one[1] - two[1]) > 24, "the names are apart");
    assert.equal([...svg.matchAll(/<path d="M[^"]*Z" [^>]*><title>(BROADER|NARROWER)</g)].length, 2, "an arrow each");
    await closePage(page);
});

test("a question in openCypher, and one that cannot be understood", async () => {
    const page = await open("student", "/graph/query");
    await page.getByLabel("openCypher").fill("MATCH (p:Person)-[:TEACHES]->(c)\nRETURN p, c.title AS course, p.born AS born\nORDER BY born, course LIMIT 5");
    await page.keyboard.press("Control+Enter");
    const rows = page.getByRole("table", { name: "Rows" });
    await rows.getByRole("link", { name: "Ada Aalto" }).waitFor();
    assert.equal(await rows.locator("tbody tr").count(), 5);
    await page.getByText(/^5 rows in/).waitFor();
    await look(page, "graph-query");
    await page.getByLabel("openCypher").fill("MATCH (p:Person)\nMATCH (c RETURN p");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.innerText(), /^Line 2, column \d+: 'RETURN' stands where/);
    assert.match(await page.getByLabel("Where it went wrong").innerText(), /^MATCH \(c RETURN p\n +\^$/);
    await page.getByRole("button", { name: "Chains of two" }).click();
    await rows.getByText("–", { exact: false }).first().waitFor();
    await closePage(page);
});

test("a browser without WebGL has the list; what is taken out comes back by undo", async () => {
    const page = await open("staff", "/graph");
    await page.addInitScript(() => {
        const before = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return /webgl/.test(kind) ? null : before.call(this, kind, ...rest);
        };
    });
    await page.goto("/graph/nodes/department-1");
    await page.getByRole("link", { name: "Open in the picture" }).click();
    await page.getByText("This browser draws no pictures").waitFor();
    const list = page.getByRole("region", { name: "All nodes of the picture" });
    await list.getByRole("button", { name: /^Botany/ }).click();
    await page.getByRole("button", { name: "Take it out of the picture" }).click();
    await list.getByRole("button", { name: /^Botany/ }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await list.getByRole("button", { name: /^Botany/ }).waitFor();
    await closePage(page);
});

test("a step that fails is said so, and left out", async () => {
    const page = await open("staff", "/graph/picture?s=expand~topic-1~~both~50&s=expand~nobody~~both~50");
    await page.getByRole("alert").filter({ hasText: "There is no such node" }).waitFor();
    const list = page.getByRole("region", { name: "All nodes of the picture" });
    await list.getByRole("button", { name: /^Topic 2/ }).waitFor();
    await page.getByRole("button", { name: "Go on without this step" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByText("3 nodes, 2 relationships").waitFor();
    await closePage(page);
});

test("several ways, by what their steps cost; one of them alone", async () => {
    const page = await open("student", "/graph/picture?s=expand~building-0~HOUSED_IN~in~10&at=building-0");
    const chosen = page.getByRole("region", { name: "The chosen node" });
    await chosen.getByText("Several, or the cheapest").click();
    await chosen.getByLabel("How many ways").selectOption("3");
    await chosen.getByLabel("What a step costs").fill("km");
    await chosen.getByLabel("Shortest way to").focus();
    await page.keyboard.type("glass house");
    await page.getByRole("option", { name: /Glass House/ }).waitFor();
    await page.keyboard.press("Enter");
    const ways = page.getByRole("region", { name: "Ways" }).getByRole("button");
    await ways.nth(1).waitFor();
    assert.deepEqual(await ways.allInnerTexts(), ["Old Harbour House → North Hall → Glass House\nkm 4, 2 steps", "Old Harbour House → Glass House\nkm 9, 1 step"]);
    await page.getByText("2 ways, the cheapest first. Relationships without a number as km are no way.").waitFor();
    await ways.nth(1).press("Enter");
    assert.equal(await ways.nth(1).getAttribute("aria-pressed"), "true");
    await look(page, "graph-ways");
    await page.reload();
    await ways.nth(1).waitFor();
    await closePage(page);
});

test("an analysis by keyboard: asked for, followed, found again", async () => {
    const page = await open("student", "/graph/analyses");
    await page.getByLabel("What is computed").selectOption("pagerank");
    assert.equal(await page.getByLabel("Keep it as the property").count(), 0, "a student changes nothing");
    await page.getByLabel("Damping").fill("0.9999");
    await page.keyboard.press("Enter"); // the browser holds it back
    assert.equal(new URL(page.url()).search, "");
    await page.getByLabel("What is computed").selectOption("communities");
    await page.getByLabel("Of nodes").selectOption("Building");
    await page.getByRole("button", { name: "Compute" }).press("Enter");
    await page.waitForURL("**job=**");
    const groups = page.getByRole("table", { name: "The largest groups" });
    await groups.getByRole("link", { name: "North Hall" }).waitFor();
    await page.getByText("3 nodes, 3 relationships").waitFor();
    await page.getByLabel("What is computed").selectOption("degree");
    await page.getByLabel("Of nodes").selectOption("");
    await page.getByLabel("Along relationships").selectOption("WORKS_IN");
    await page.getByRole("button", { name: "Compute" }).press("Enter");
    const top = page.getByRole("table", { name: "The first nodes" });
    await top.getByRole("row", { name: /Mathematics.*Department.*15/ }).waitFor();
    await look(page, "graph-analysis");
    const earlier = page.getByRole("list", { name: "Earlier ones" }).getByRole("link");
    await earlier.nth(1).press("Enter");
    await groups.waitFor();
    await closePage(page);
});

test("a node and a relationship: made, refused, changed, taken back, deleted, by keyboard", async () => {
    const page = await open("staff", "/graph");
    page.setDefaultTimeout(60_000); // what is stored may be seen a little later
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "New node" }).press("Enter");
    await dialog.getByLabel("Labels").fill("Visitor");
    await dialog.getByLabel("Value of name").fill("Zora Quill");
    await dialog.getByRole("button", { name: "Another property" }).press("Enter");
    await dialog.getByLabel("Name of property 2").fill("visits");
    await dialog.getByLabel("Kind of visits").selectOption("number");
    await dialog.getByLabel("Value of visits").fill("three");
    await page.keyboard.press("Enter");
    await dialog.getByText("This is no number").waitFor();
    await look(page, "graph-edit");
    await dialog.getByLabel("Value of visits").fill("3");
    await dialog.getByLabel("Id").fill("building-0");
    await dialog.getByRole("button", { name: "Make it" }).press("Enter");
    await dialog.getByRole("alert").waitFor(); // there is one of this id
    await dialog.getByLabel("Id").fill("visitor-zora");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/graph/nodes/visitor-zora");
    const visits = page.locator(".properties > div", { hasText: "visits" });
    await visits.getByText("3", { exact: true }).waitFor();

    await page.getByRole("button", { name: "Change", exact: true }).press("Enter");
    await dialog.getByLabel("Value of visits").fill("4");
    await dialog.getByRole("button", { name: "Save" }).press("Enter");
    await visits.getByText("4", { exact: true }).waitFor();
    await page.getByRole("status").getByRole("button", { name: "Undo" }).last().press("Enter");
    await visits.getByText("3", { exact: true }).waitFor();

    await page.getByRole("button", { name: "Join" }).press("Enter");
    await dialog.getByLabel("Type").fill("VISITS");
    await page.keyboard.press("Enter");
    await dialog.getByText("Choose the other node first.").waitFor();
    await dialog.getByLabel("The other node").focus();
    await page.keyboard.type("north hall");
    await dialog.getByRole("option", { name: /North Hall/ }).waitFor();
    await page.keyboard.press("Enter");
    await dialog.getByText("Chosen: North Hall").waitFor();
    await dialog.getByRole("button", { name: "Join them" }).press("Enter");
    const joined = page.locator(".group", { hasText: "VISITS" });
    await joined.getByRole("button", { name: "Change VISITS with North Hall" }).press("Enter");
    await dialog.getByRole("button", { name: "Another property" }).press("Enter");
    await dialog.getByLabel("Name of property 1").fill("day");
    await dialog.getByLabel("Value of day").fill("Monday");
    await dialog.getByRole("button", { name: "Save" }).press("Enter");
    await joined.getByText("day: Monday").waitFor();
    await joined.getByRole("button", { name: "Delete VISITS with North Hall" }).press("Enter");
    await dialog.getByRole("button", { name: "Delete" }).press("Enter");
    await page.getByText("It is joined with nothing that you may see.").waitFor();

    await page.getByRole("button", { name: "Delete", exact: true }).press("Enter");
    await dialog.getByRole("button", { name: "Delete" }).press("Enter");
    await page.getByText("“Zora Quill” is deleted.").waitFor();
    await page.goto("/graph/nodes/visitor-zora");
    await page.getByText("There is no such node").waitFor();
    await closePage(page);
    const reader = await open("student", "/graph/nodes/building-0");
    await reader.getByRole("link", { name: "Open in the picture" }).waitFor();
    assert.equal(await reader.getByRole("button", { name: /^(Change|Delete|Join)/ }).count(), 0);
    await closePage(reader);
});
