/** Mocha's spec reporter, with a last line that every CI can read: `N passed, N failed`. */

const { reporters } = require("mocha");

class ClosingLine extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : "";
      process.on("exit", () =>
        process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`),
      );
    });
  }
}

module.exports = ClosingLine;
