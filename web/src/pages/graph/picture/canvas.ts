// The drawn picture: graphology holds it, ForceAtlas2 lays it out, sigma draws it (WebGL).
// Loaded when somebody opens a picture.
import { EdgeCurvedArrowProgram } from "@sigma/edge-curve";
import { MultiDirectedGraph } from "graphology";
import type { Attributes } from "graphology-types";
import Sigma from "sigma";
import { EdgeArrowProgram, EdgeLineProgram, NodeCircleProgram, NodePointProgram } from "sigma/rendering";
import type { Task, Told } from "./layout.worker";
import { NAMED_EDGES, POINTED_EDGES } from "./shapes";
import type { Look, Shape, ShapeEdge } from "./shapes";

export interface Canvas {
    set(shape: Shape, look: Look, chosen: string): void;
    fit(): void;
    zoom(inwards: boolean): void;
    layOut(): void;
    /** Where the nodes stand; y grows upwards. */
    places(): Map<string, { x: number; y: number }>;
    close(): void;
}

/** The same id begins at the same place. */
function begin(id: string): { x: number; y: number } {
    let hash = 2166136261;
    for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619) >>> 0;
    const angle = ((hash & 0xffff) / 0xffff) * 2 * Math.PI;
    const far = 10 + ((hash >>> 16) / 0xffff) * 10;
    return { x: Math.cos(angle) * far, y: Math.sin(angle) * far };
}

/** A bowed line is drawn thinner than a straight one of its size. */
const BOWED = 1.7;

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

class Drawing implements Canvas {
    private readonly graph = new MultiDirectedGraph();
    private readonly sigma: Sigma;
    private look: Look;
    private chosen = "";
    private near = new Set<string>();
    private worker: Worker | null = null;
    private dragged = "";

    constructor(container: HTMLElement, look: Look, onChoose: (id: string) => void) {
        this.look = look;
        this.sigma = new Sigma(this.graph, container, {
            allowInvalidContainer: true,
            nodeProgramClasses: { circle: NodeCircleProgram, point: NodePointProgram },
            edgeProgramClasses: { arrow: EdgeArrowProgram, line: EdgeLineProgram, curved: EdgeCurvedArrowProgram },
            defaultEdgeType: "arrow",
            labelFont: look.font,
            labelSize: 13,
            labelWeight: "500",
            labelDensity: 1,
            labelGridCellSize: 90,
            labelRenderedSizeThreshold: 4.5,
            edgeLabelSize: 11,
            edgeLabelFont: look.mono,
            minCameraRatio: 0.02,
            maxCameraRatio: 4,
            zIndex: true,
            labelColor: { attribute: "labelColor" },
            edgeLabelColor: { attribute: "labelColor" },
            nodeReducer: (id, data) => this.nodeLook(id, data),
            edgeReducer: (id, data) => this.edgeLook(id, data),
            defaultDrawNodeHover: (context, data) => this.drawHover(context, data),
        });
        this.sigma.on("clickNode", ({ node }) => onChoose(node));
        this.sigma.on("clickStage", () => onChoose(""));
        this.dragging();
    }

    private nodeLook(id: string, data: Attributes) {
        const far = this.chosen !== "" && !this.near.has(id);
        const labelColor = far ? this.look.quiet : this.look.ink;
        return {
            ...data,
            labelColor,
            color: far ? this.look.line : data["color"],
            highlighted: id === this.chosen,
            forceLabel: id === this.chosen || data["forceLabel"] === true,
            zIndex: far ? 0 : 1,
        };
    }

    private edgeLook(id: string, data: Attributes) {
        const touches = this.chosen === "" || this.graph.extremities(id).includes(this.chosen);
        const way = data["way"] === true;
        return {
            ...data,
            labelColor: this.look.quiet,
            color: way ? this.look.accent : touches ? this.look.strong : this.look.line,
            size: (data["curvature"] ? BOWED : 1) * (way ? 4 : touches && this.chosen !== "" ? 2.2 : this.graph.size > 2000 ? 0.6 : 1.4),
            label: touches ? data["label"] : "",
            zIndex: way ? 2 : touches ? 1 : 0,
        };
    }

    private drawHover(context: CanvasRenderingContext2D, data: { x: number; y: number; size: number; label?: string | null }) {
        const text = data.label ?? "";
        context.font = `650 13px ${this.look.font}`;
        const width = context.measureText(text).width + 14;
        context.beginPath();
        context.arc(data.x, data.y, data.size + 4, 0, 2 * Math.PI);
        context.strokeStyle = this.look.accent;
        context.lineWidth = 3;
        context.stroke();
        if (!text) return;
        const left = data.x + data.size + 7;
        context.beginPath();
        context.roundRect(left, data.y - 12, width, 24, 6);
        context.fillStyle = this.look.surface;
        context.fill();
        context.lineWidth = 1;
        context.strokeStyle = this.look.strong;
        context.stroke();
        context.fillStyle = this.look.ink;
        context.fillText(text, left + 7, data.y + 4.5);
    }

    private dragging() {
        this.sigma.on("downNode", ({ node }) => {
            this.stop(); // what was arranged by hand stays
            this.dragged = node;
            if (!this.sigma.getCustomBBox()) this.sigma.setCustomBBox(this.sigma.getBBox());
        });
        this.sigma.on("moveBody", ({ event }) => {
            if (!this.dragged) return;
            const place = this.sigma.viewportToGraph(event);
            this.graph.mergeNodeAttributes(this.dragged, place);
            event.preventSigmaDefault();
            event.original.preventDefault();
        });
        const drop = () => {
            this.dragged = "";
        };
        this.sigma.on("upNode", drop);
        this.sigma.on("upStage", drop);
    }

    set(shape: Shape, look: Look, chosen: string): void {
        this.look = look;
        this.chosen = chosen;
        const before = this.graph.nodes().join("\n");
        const wanted = new Set(shape.nodes.map((node) => node.id));
        for (const id of this.graph.nodes()) if (!wanted.has(id)) this.graph.dropNode(id);
        for (const edge of this.graph.edges()) this.graph.dropEdge(edge);
        const beside = neighbourOf(shape.edges);
        for (const node of shape.nodes) {
            const attributes = { label: node.name, color: node.colour, size: node.size, forceLabel: shape.nodes.length <= 60 };
            if (this.graph.hasNode(node.id)) this.graph.mergeNodeAttributes(node.id, attributes);
            else this.graph.addNode(node.id, { ...this.start(node.id, beside), ...attributes });
        }
        for (const edge of shape.edges)
            if (edge.from !== edge.to) {
                const how = edge.bend ? { type: "curved", curvature: edge.bend } : {};
                this.graph.addEdgeWithKey(edge.id, edge.from, edge.to, { label: edge.type, way: edge.way, ...how });
            }
        this.near = new Set(this.graph.hasNode(chosen) ? [chosen, ...this.graph.neighbors(chosen)] : []);
        for (const edge of shape.edges) if (edge.way) this.near.add(edge.from).add(edge.to);
        if (!this.graph.hasNode(chosen)) this.chosen = "";
        this.sigma.setSetting("renderEdgeLabels", shape.edges.length <= NAMED_EDGES);
        // cheaper to draw; an arrow of half a pixel is not to be seen anyway
        this.sigma.setSetting("defaultNodeType", shape.nodes.length > 2000 ? "point" : "circle");
        this.sigma.setSetting("defaultEdgeType", shape.edges.length > POINTED_EDGES ? "line" : "arrow");
        this.sigma.setSetting("hideEdgesOnMove", shape.edges.length > 1500);
        this.sigma.setSetting("hideLabelsOnMove", shape.nodes.length > 800);
        this.sigma.refresh();
        if (this.graph.nodes().join("\n") !== before) this.layOut();
    }

    /** A new node begins beside one that is there. */
    private start(id: string, beside: Map<string, string[]>) {
        const at = begin(id);
        const there = beside.get(id)?.find((other) => this.graph.hasNode(other));
        if (!there) return at;
        const { x, y } = this.graph.getNodeAttributes(there) as { x: number; y: number };
        return { x: x + at.x / 10, y: y + at.y / 10 };
    }

    layOut(): void {
        this.stop();
        if (this.graph.order < 2) return;
        this.sigma.setCustomBBox(null);
        const ids = this.graph.nodes();
        const numbers = new Map(ids.map((id, i) => [id, i]));
        const places = new Float32Array(ids.flatMap((id) => {
            const { x, y } = this.graph.getNodeAttributes(id);
            return [Number(x), Number(y)];
        }));
        const edges = new Uint32Array(this.graph.mapEdges((_, __, from, to) => [numbers.get(from) ?? 0, numbers.get(to) ?? 0]).flat());
        this.worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
        this.worker.onmessage = ({ data }: MessageEvent<Told>) => {
            this.graph.updateEachNodeAttributes(
                (id, attributes) => {
                    const i = 2 * (numbers.get(id) ?? 0);
                    return { ...attributes, x: data.places[i], y: data.places[i + 1] };
                },
                { attributes: ["x", "y"] },
            );
            if (data.done) this.stop();
        };
        const task: Task = { places, edges, steps: !still() };
        this.worker.postMessage(task, [places.buffer, edges.buffer]);
    }

    private stop(): void {
        this.worker?.terminate();
        this.worker = null;
    }

    fit(): void {
        const camera = this.sigma.getCamera();
        const whole = { x: 0.5, y: 0.5, ratio: 1.08, angle: 0 };
        if (still()) camera.setState(whole);
        else void camera.animate(whole);
    }

    zoom(inwards: boolean): void {
        const camera = this.sigma.getCamera();
        void (inwards ? camera.animatedZoom({ duration: still() ? 1 : 180 }) : camera.animatedUnzoom({ duration: still() ? 1 : 180 }));
    }

    places() {
        return new Map(this.graph.mapNodes((id, { x, y }) => [id, { x: Number(x), y: Number(y) }] as const));
    }

    close(): void {
        this.stop();
        this.sigma.kill();
    }
}

function neighbourOf(edges: readonly ShapeEdge[]): Map<string, string[]> {
    const beside = new Map<string, string[]>();
    const add = (a: string, b: string) => {
        const list = beside.get(a);
        if (list) list.push(b);
        else beside.set(a, [b]);
    };
    for (const edge of edges) {
        add(edge.from, edge.to);
        add(edge.to, edge.from);
    }
    return beside;
}

/** Throws where the browser draws no such pictures. */
export function openCanvas(container: HTMLElement, look: Look, onChoose: (id: string) => void): Canvas {
    const trial = document.createElement("canvas");
    const context = trial.getContext("webgl2") ?? trial.getContext("webgl");
    if (!context) throw new Error("no WebGL");
    context.getExtension("WEBGL_lose_context")?.loseContext();
    return new Drawing(container, look, onChoose);
}
