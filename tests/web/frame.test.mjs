// What is around every page, and signing in.
import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { base, closePage, firstPaint, look, openPage, people, tabTo, useBrowser } from "./support/browser.mjs";

useBrowser();

test("signing in by keyboard, wrong and right, and out again", async () => {
    const page = await openPage(null, "/login");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await tabTo(page, "[name=username]");
    await page.keyboard.type(people.staff.username);
    await page.keyboard.press("Tab");
    await page.keyboard.type("not this one");
    await page.keyboard.press("Enter");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.innerText(), /name or the password is wrong/);
    await look(page, "login");
    await page.locator("[name=password]").focus();
    await page.keyboard.type(people.staff.password);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/search");
    await page.locator(".account summary").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/login");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await closePage(page);
});

test("a locked name is told so, and when to come back", async () => {
    const page = await openPage(null, "/login");
    for (let i = 0; ; i++) {
        assert.ok(i < 8, "the name was never locked");
        await page.locator("[name=username]").fill("somebody-else");
        await page.locator("[name=password]").fill("wrong " + i);
        const [answer] = await Promise.all([
            page.waitForResponse("**/api/auth/login"),
            page.getByRole("button", { name: "Sign in" }).click(),
        ]);
        if (answer.status() === 423) break;
    }
    const alert = page.getByRole("alert").filter({ hasText: "locked" });
    await alert.waitFor();
    assert.match(await alert.innerText(), /Try again in \d+ minutes/);
    await closePage(page);
});

test("one goes on where one wanted to go, but never elsewhere", async () => {
    for (const [next, path] of [["/glossary?q=vpn", "/glossary"], ["//evil.example/", "/search"], ["/\\evil.example", "/search"]]) {
        const page = await openPage("admin", "/login?next=" + encodeURIComponent(next));
        await page.waitForURL((url) => url.pathname === path);
        assert.equal(new URL(page.url()).origin, new URL(base).origin);
        await closePage(page);
    }
});

test("only what the role may do is offered", async () => {
    const names = async (who) => {
        const page = await openPage(who, "/search");
        if (who) await page.locator(".account").waitFor();
        else await page.getByRole("link", { name: "Sign in" }).waitFor();
        const list = await page.locator(".nav a").allInnerTexts();
        await closePage(page);
        return list;
    };
    assert.deepEqual(await names("admin"), ["Search", "Documents", "Graph", "Glossary", "Operations"]);
    assert.ok(!(await names("student")).includes("Operations"));
    assert.deepEqual(await names(null), ["Search"]);
});

test("the frame by keyboard: skip link, keys, help, theme", async () => {
    const page = await openPage("admin", "/documents");
    await page.locator(".account").waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.keyboard.press("g");
    await page.keyboard.press("l");
    await page.waitForURL("**/glossary");
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys and help" });
    await help.waitFor();
    await look(page, "help");
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme ?? "system");
    const button = page.getByRole("button", { name: /^Colours/ });
    for (const wanted of ["light", "dark", "system"]) {
        await button.click();
        assert.equal(await theme(), wanted);
    }
    await button.click();
    await button.click();
    await page.reload();
    await button.waitFor();
    assert.equal(await theme(), "dark", "the choice is kept");
    await button.click();
    await closePage(page);
});

test("an address without a page says so", async () => {
    const page = await openPage("admin", "/nowhere");
    await page.getByText("There is no page at this address").waitFor();
    await closePage(page);
});

test("the first page is small, and says when it was seen", async (t) => {
    const page = await openPage("admin", "/login");
    await page.close();
    const sizes = [];
    const first = await openPage("admin", "about:blank");
    first.on("response", async (answer) => {
        const url = new URL(answer.url());
        if (url.origin === new URL(base).origin && !url.pathname.startsWith("/api/")) sizes.push(answer.body());
    });
    await first.goto("/search", { waitUntil: "networkidle" });
    const packed = (await Promise.all(sizes)).reduce((all, body) => all + gzipSync(body).length, 0);
    t.diagnostic(`first page: ${(packed / 1000).toFixed(1)} kB packed, first contentful paint after ${(await firstPaint(first)).toFixed(0)} ms`);
    assert.ok(sizes.length >= 3, "index.html, a script, a style");
    assert.ok(packed < 200_000, `${packed} bytes packed`);
    await closePage(first);
});
