// ForceAtlas2 beside the page, so that it stays smooth while thousands of nodes are
// arranged. A file of its own: the page's policy allows no workers made of text.
import { UndirectedGraph } from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";

export interface Task {
    places: Float32Array; // x and y of each node
    edges: Uint32Array; // both ends of each relationship, as numbers of nodes
    steps: boolean; // whether to tell the places on the way
}

export interface Told {
    places: Float32Array;
    done: boolean;
}

const scope = self as unknown as { onmessage: (event: MessageEvent<Task>) => void; postMessage(told: Told, transfer: Transferable[]): void };

function graphOf(task: Task): UndirectedGraph {
    const graph = new UndirectedGraph();
    for (let i = 0; i < task.places.length / 2; i++) graph.addNode(i, { x: task.places[2 * i], y: task.places[2 * i + 1] });
    for (let i = 0; i < task.edges.length; i += 2) {
        const [from, to] = [task.edges[i], task.edges[i + 1]];
        if (from !== to && !graph.hasEdge(from, to)) graph.addEdge(from, to);
    }
    return graph;
}

scope.onmessage = ({ data: task }) => {
    const graph = graphOf(task);
    const { order } = graph;
    const settings = {
        ...forceAtlas2.inferSettings(order),
        gravity: order < 200 ? 1.5 : 0.6,
        scalingRatio: 12,
        slowDown: 1 + Math.log(order),
    };
    const tell = (done: boolean) => {
        const places = new Float32Array(order * 2);
        let i = 0;
        graph.forEachNode((_, at) => {
            places[i++] = Number(at["x"]);
            places[i++] = Number(at["y"]);
        });
        scope.postMessage({ places, done }, [places.buffer]);
    };
    const portion = order > 1500 ? 5 : 10;
    const every = order > 1500 ? 600 : 60; // milliseconds between two pictures
    let told = performance.now();
    for (let rounds = order > 1500 ? 150 : 300; rounds > 0; rounds -= portion) {
        forceAtlas2.assign(graph, { iterations: portion, settings });
        if (!task.steps || performance.now() - told < every) continue;
        told = performance.now();
        tell(false);
    }
    tell(true);
};
