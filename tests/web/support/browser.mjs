// Debian's Chromium against the stack that CAIRN_URL names, and what every page must
// stand: both themes, 320 to 1440 px, axe without violations, nothing that overflows, no
// shift of the layout. Pictures are kept in SCREENSHOTS.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { layoutShift, unasked, watchShifts } from "./shifts.mjs";

export const base = process.env.CAIRN_URL;
const pictures = process.env.SCREENSHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const patience = 30_000;
const MOST_SHIFT = 0.001; // a button that moves by its own width is more

/** Who there is: see test_web.py. */
export const people = JSON.parse(process.env.PEOPLE);

let context = null;
let profile = null;
const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);

/** One browser for the tests of a file. */
export function useBrowser() {
    before(async () => {
        assert.ok(program, "chromium is missing: scripts/deps.sh test installs it");
        profile = mkdtempSync(path.join(tmpdir(), "cairn-chromium-"));
        context = await chromium.launchPersistentContext(profile, {
            executablePath: program,
            headless: true,
            args: ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", // WebGL without a card
                "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
            viewport: { width: 1440, height: 900 },
            acceptDownloads: true,
            baseURL: base,
        });
        context.setDefaultTimeout(patience);
        await context.addInitScript(watchShifts);
    });
    after(async () => {
        await context?.close();
        if (profile) rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    });
}

/** A new page, signed in as one of `people`, or as nobody. What goes wrong in its scripts,
 * and what its policy forbids, fails the test when closeAll() looks. */
export async function openPage(who, address, { width = 1440, theme = "light" } = {}) {
    await context.clearCookies();
    if (who) {
        const entry = await context.request.post("/api/auth/login", {
            data: { username: people[who].username, password: people[who].password },
        });
        assert.equal(entry.status(), 200, await entry.text());
    }
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (fault) => page.faults.push(String(fault)));
    page.on("console", (message) => {
        const text = message.text();
        // an error answer is a page's business; what the browser forbids is not
        if (message.type() === "error" && !text.startsWith("Failed to load resource")) page.faults.push(text);
    });
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(address);
    return page;
}

export async function closePage(page) {
    assert.deepEqual(page.faults, [], "faults in the page's scripts");
    await page.close();
}

async function assertFits(page, name) {
    const wide = await page.evaluate(() => {
        const most = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= most) return null;
        const over = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > most + 1);
        return over.slice(0, 5).map((one) => one.outerHTML.slice(0, 160));
    });
    assert.equal(wide, null, `${name}: wider than the screen: ${wide}`);
}

export async function assertAccessible(page, name) {
    await page.evaluate(axe + ";0"); // not as a script element, which the policy forbids
    const { violations } = await page.evaluate(() =>
        window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    const told = violations.map((one) => `${one.id}: ${one.help}\n` +
        one.nodes.slice(0, 4).map((node) => `    ${node.html.slice(0, 200)}\n    ${node.any[0]?.message ?? ""}`).join("\n"));
    assert.deepEqual(told, [], `${name}: axe found violations`);
}

/** The shifts that a reader had since the page was loaded, and the sum of the worst window. */
export async function shiftsOf(page) {
    const shifts = unasked(await page.evaluate(() => window.still));
    return { shifts, sum: layoutShift(shifts) };
}

export async function assertStill(page, name) {
    const { shifts, sum } = await shiftsOf(page);
    assert.ok(sum < MOST_SHIFT, `${name}: the layout shifted by ${sum.toFixed(3)}: ${JSON.stringify(shifts).slice(0, 1500)}`);
}

/** The page as it stands, in both themes and at three widths. */
export async function look(page, name) {
    await assertStill(page, name);
    mkdirSync(pictures, { recursive: true });
    for (const theme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        for (const width of [1440, 768, 320]) {
            const what = `${name}-${theme}-${width}`;
            await page.setViewportSize({ width, height: width === 320 ? 720 : 900 });
            // the browser has laid it out, and whoever listens for a resize has run
            await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
            await assertFits(page, what);
            await page.screenshot({ path: path.join(pictures, what + ".png"), animations: "disabled" });
            if (width !== 768) await assertAccessible(page, what);
        }
    }
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
    await page.setViewportSize({ width: 1440, height: 900 });
}

/** Milliseconds until something was seen. Told, never asserted: machines differ. */
export async function firstPaint(page) {
    return page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1);
}

/** Tab until the focus is on what the selector names; fails after `most` steps. */
export async function tabTo(page, selector, most = 40) {
    for (let i = 0; i < most; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
    }
    assert.fail(`the Tab key does not lead to ${selector}`);
}
