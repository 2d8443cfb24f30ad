/** Runs the worlds of one planted bug, or with no name those of all, until one fails. */

import { Marks } from "../simulation/marks.js";
import { report, runJudged } from "../simulation/suite.js";
import { controls, plantedBugs } from "./planted-bugs.js";

const [bug] = process.argv.slice(2);
const worlds =
  bug === undefined ? controls : (plantedBugs.find(({ name }) => name === bug)?.worlds ?? []);
try {
  const marks = new Marks();
  for (const world of worlds) await runJudged(world, marks);
  process.stdout.write(`${worlds.length} worlds are as they must be\n`);
} catch (error) {
  process.stdout.write(`RED ${report(error)}\n`);
  process.exitCode = 1;
}
