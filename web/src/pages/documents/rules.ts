// Who may see what, in words: docs/api.md has the rules.
export const clearances = [
    { value: "1", text: "1 · everybody" },
    { value: "2", text: "2 · students and above" },
    { value: "3", text: "3 · staff of the department" },
    { value: "4", text: "4 · academics" },
    { value: "5", text: "5 · admins" },
];

/** "everybody", for the clearance of a number. */
export function readers(clearance: string): string {
    const text = clearances.find((one) => one.value === clearance)?.text ?? "";
    return text.slice(text.indexOf("·") + 2) || `clearance ${clearance}`;
}

export const roles = ["anonymous", "student", "staff", "academic", "admin"];

interface Rule {
    rule: string;
    ok: boolean;
    why?: string;
    document?: unknown;
    caller?: unknown;
}

const departments: Record<string, (rule: Rule) => string> = {
    not_asked: () => "Up to clearance 2 the department does not matter.",
    all_departments: () => "The role reaches all departments.",
    own_department: (rule) => `It belongs to the same department, ${String(rule.document)}.`,
    other_department: (rule) => `It belongs to ${String(rule.document)}, the reader to ${String(rule.caller ?? "no department")}.`,
    no_department: () => "The reader belongs to no department, or the document has none.",
};

export function because(rule: Rule): string {
    if (rule.rule === "clearance")
        return `The document asks for clearance ${String(rule.document)}; the reader has ${String(rule.caller)}, which is ${rule.ok ? "enough" : "too low"}.`;
    if (rule.rule === "department") return departments[rule.why ?? ""]?.(rule) ?? "The department decides.";
    if (rule.rule === "active") return rule.ok ? "The account may sign in." : "The account may not sign in.";
    return `${rule.rule}: ${rule.ok ? "fits" : "does not fit"}`;
}

export const reach: Record<string, string> = {
    always: "may read it",
    in_department: "may read it in the document’s department",
    never: "may not read it",
};
