// Line drawings of our own, 24 × 24; said by the text beside them, so hidden from readers.
const drawings = {
    search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13Zm4.7 11.2L20 20",
    documents: "M7 3h7l4 4v14H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2Zm7 0v4h4M9 12h6M9 16h6",
    graph: "M6 8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm12 3a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9 20.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM8.4 6.7l7.2 1.7M6.7 8.4l1.7 7.2M16.4 10.9l-5.6 5.3",
    glossary: "M12 6.5C10.5 5 8 4.5 4 4.5v14c4 0 6.5.5 8 2 1.5-1.5 4-2 8-2v-14c-4 0-6.5.5-8 2Zm0 0v14",
    operations: "M3 12h4l2.5-6 4 13 3-9 1.5 2H21",
    sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-6v2m0 16v2M4.2 4.2l1.5 1.5m12.6 12.6 1.5 1.5M2 12h2m16 0h2M4.2 19.8l1.5-1.5M18.3 5.7l1.5-1.5",
    moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
    system: "M4 5h16v11H4zM9 20h6m-3-4v4",
    help: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Zm-2.5 6.7a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2 1-1.2 1.9m0 2.7v.1",
    close: "M6 6l12 12M18 6 6 18",
    person: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
    alert: "M12 4 2.5 20h19L12 4Zm0 6v5m0 2.4v.1",
    info: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Zm0 8v5m0-8.4v.1",
    check: "M5 12.5 10 17.5 19.5 7",
    external: "M14 4h6v6m0-6-9 9m-1-7H5v14h14v-5",
    filter: "M4 6h16M7 12h10M10 18h4",
    link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1",
    plus: "M12 5v14M5 12h14",
    minus: "M5 12h14",
    fit: "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5",
    trash: "M5 7h14M10 7V4.5h4V7m-7.5 0 .8 13h9.4l.8-13M10 11v5.5m4-5.5v5.5",
    download: "M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 19.5h14",
    upload: "M12 15V4M7.5 8.5 12 4l4.5 4.5M5 19.5h14",
    refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9m0-5v5h-5",
    left: "M15 5l-7 7 7 7",
    right: "M9 5l7 7-7 7",
    down: "M5 9l7 7 7-7",
    up: "M5 15l7-7 7 7",
    clock: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Zm0 4.5V12l3 2",
    book: "M6 4h12v16H6a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2Zm2 0v16",
    settings: "M4 7h9m4 0h3M4 17h3m4 0h9M15 5v4M9 15v4",
    pencil: "M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19 4 20Z",
    play: "M7 4.5v15l12-7.5L7 4.5Z",
    shield: "M12 3l7.5 3v6c0 4.5-3 7.5-7.5 9-4.5-1.5-7.5-4.5-7.5-9V6L12 3Z",
} as const;

export type IconName = keyof typeof drawings;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
    return (
        <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={drawings[name]} />
        </svg>
    );
}
