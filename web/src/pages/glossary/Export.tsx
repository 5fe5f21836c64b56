// The glossary as a file: the browser fetches it, as large as it may be.
import { address } from "../../api";
import { Dialog } from "../../ui/Dialog";
import { Icon } from "../../ui/Icon";

export const formats = [
    { value: "csv", text: "CSV", about: "a table for any program" },
    { value: "xlsx", text: "XLSX", about: "a table for Excel or LibreOffice" },
    { value: "json", text: "JSON", about: "all that is stored, for programs" },
    { value: "tbx", text: "TBX", about: "for translators' programs" },
    { value: "skos", text: "SKOS", about: "RDF/XML, for other vocabularies" },
] as const;

export function Export({ filters, onClose }: { filters: Record<string, string>; onClose: () => void }) {
    const chosen = Object.entries(filters).filter(([, value]) => value);
    return (
        <Dialog title="Export" onClose={onClose}>
            <p>
                {chosen.length > 0
                    ? `Terms that you may see, with ${chosen.map(([name, value]) => `${name} ${value}`).join(", ")}, and their relations.`
                    : "All terms that you may see, and their relations."}
            </p>
            <ul class="export-list">
                {formats.map((format) => (
                    <li key={format.value}>
                        <a class="button" download={`glossary.${format.value === "skos" ? "rdf" : format.value}`} href={address("/api/glossary/export", { format: format.value, ...filters })}>
                            <Icon name="download" size={18} />
                            {format.text}
                        </a>
                        <span class="quiet">{format.about}</span>
                    </li>
                ))}
            </ul>
        </Dialog>
    );
}
