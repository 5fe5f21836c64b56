import type { ComponentChildren } from "preact";
import { Button } from "./Button";
import { count } from "./format";

export interface Column<Row> {
    name: string;
    title: string;
    show: (row: Row) => ComponentChildren;
    numeric?: boolean;
    sortable?: boolean;
}

/** On narrow screens each row is a card whose cells bear their column's title. `sort` is
 * "name" or "-name". */
export function Table<Row>(props: {
    caption: string;
    columns: readonly Column<Row>[];
    rows: readonly Row[];
    keyOf: (row: Row) => string | number;
    sort?: string;
    onSort?: (sort: string) => void;
    busy?: boolean;
}) {
    const { sort, onSort } = props;
    return (
        <div class="table-around" aria-busy={props.busy ? "true" : undefined}>
            <table class="table">
                <caption class="visually-hidden">{props.caption}</caption>
                <thead>
                    <tr>
                        {props.columns.map((column) => {
                            const up = sort === column.name;
                            const down = sort === "-" + column.name;
                            return (
                                <th key={column.name} scope="col" class={column.numeric ? "numeric" : ""} aria-sort={up ? "ascending" : down ? "descending" : undefined}>
                                    {column.sortable && onSort ? (
                                        <button type="button" class="table-sort" onClick={() => onSort(up ? "-" + column.name : column.name)}>
                                            {column.title}
                                            <span aria-hidden="true">{up ? " ↑" : down ? " ↓" : ""}</span>
                                        </button>
                                    ) : (
                                        column.title
                                    )}
                                </th>
                            );
                        })}
                    </tr>
                </thead>
                <tbody>
                    {props.rows.map((row) => (
                        <tr key={props.keyOf(row)}>
                            {props.columns.map((column) => (
                                <td key={column.name} data-title={column.title} class={column.numeric ? "numeric" : ""}>
                                    {column.show(row)}
                                </td>
                            ))}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

export function Paging({ page, pages, total, onPage }: { page: number; pages: number; total?: number; onPage: (page: number) => void }) {
    if (pages <= 1) return null;
    return (
        <nav class="paging" aria-label="Pages">
            <Button icon="left" disabled={page <= 1} onClick={() => onPage(page - 1)}>
                Previous
            </Button>
            <span>
                Page {count(page)} of {count(pages)}
                {total !== undefined && <span class="quiet"> · {count(total)} in all</span>}
            </span>
            <Button disabled={page >= pages} onClick={() => onPage(page + 1)}>
                Next
            </Button>
        </nav>
    );
}
