// A small university as a graph, the same at every call: NDJSON for POST /api/graph/import.
const given = ["Ada", "Ben", "Cleo", "Dara", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jun"];
const family = ["Aalto", "Brandt", "Castro", "Dahl", "Egger", "Fink"];
const subjects = ["Algebra", "Botany", "Compilers", "Databases", "Ecology", "Film", "Geology", "Harmony", "Islands", "Justice", "Kinetics", "Logic"];
const departments = ["Mathematics", "Biology", "Computer Science", "Humanities"];
const buildings = ["Old Harbour House", "North Hall", "Glass House"];

function node(id, label, properties) {
    return { kind: "node", id, labels: [label], properties };
}

function edge(type, from, to, properties = {}) {
    return { kind: "edge", id: `${type}:${from}:${to}`, type, from, to, properties };
}

/** 60 people, 12 courses, 4 departments, 3 buildings and how far they are apart, 6 topics. */
export function university() {
    const all = [];
    buildings.forEach((name, i) => all.push(node(`building-${i}`, "Building", { name, built: 1888 + 20 * i })));
    [[0, 1, 1.5], [1, 2, 2.5], [0, 2, 9]].forEach(([from, to, km]) => all.push(edge("NEAR", `building-${from}`, `building-${to}`, { km })));
    departments.forEach((name, i) => {
        all.push(node(`department-${i}`, "Department", { name, budget: 100000 * (i + 1) }));
        all.push(edge("HOUSED_IN", `department-${i}`, `building-${i % 3}`));
    });
    subjects.forEach((title, i) => {
        all.push(node(`course-${i}`, "Course", { title, credits: 3 + (i % 4), description: `An introduction to ${title.toLowerCase()}` }));
        all.push(edge("BELONGS_TO", `course-${i}`, `department-${i % 4}`));
        if (i > 2) all.push(edge("REQUIRES", `course-${i}`, `course-${i - 3}`));
    });
    for (let i = 0; i < 6; i++) all.push(node(`topic-${i}`, "Topic", { name: `Topic ${i + 1}` }));
    subjects.forEach((_, i) => all.push(edge("ABOUT", `course-${i}`, `topic-${i % 6}`)));
    for (let i = 0; i < 60; i++) {
        const name = `${given[i % 10]} ${family[Math.floor(i / 10)]}`;
        all.push(node(`person-${i}`, "Person", { name, born: 1960 + (i % 40), email: `p${i}@example.edu` }));
        all.push(edge("WORKS_IN", `person-${i}`, `department-${i % 4}`, { since: 2000 + (i % 20) }));
        all.push(edge(i % 5 ? "ATTENDS" : "TEACHES", `person-${i}`, `course-${i % 12}`));
        if (i > 0) all.push(edge("KNOWS", `person-${i}`, `person-${Math.floor(i / 2)}`));
    }
    return all.map((one) => JSON.stringify(one)).join("\n") + "\n";
}
