// Light or dark: what the system prefers, until somebody chooses. The choice is this
// browser's.
export type Theme = "system" | "light" | "dark";

const KEY = "cairn.theme";

export function theme(): Theme {
    try {
        const kept = localStorage.getItem(KEY);
        return kept === "light" || kept === "dark" ? kept : "system";
    } catch {
        return "system"; // storage is closed to us
    }
}

export function applyTheme(): void {
    const chosen = theme();
    if (chosen === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = chosen;
}

export function setTheme(next: Theme): void {
    try {
        if (next === "system") localStorage.removeItem(KEY);
        else localStorage.setItem(KEY, next);
    } catch {
        // it holds until the page is left
    }
    if (next === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = next;
}

export function isDark(): boolean {
    const chosen = document.documentElement.dataset["theme"];
    if (chosen) return chosen === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
}
