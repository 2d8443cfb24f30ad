import assert from "node:assert/strict";
import { Link } from "./link.js";
import { steady } from "./shapes.js";

describe("simulation/link", () => {
  const freeAt = (link: Link) => link.pass(0, 0);

  it("a read that was stopped keeps it busy for half a round trip", () => {
    const link = new Link(steady(1));
    link.block(0, 100, 1_000_000);
    assert.equal(freeAt(link), 100);
  });

  it("but with no more than what was still to come of it", () => {
    const link = new Link(steady(1));
    link.block(0, 100, 3_000);
    assert.equal(freeAt(link), 3);
  });

  it("nor for longer where it carries nothing", () => {
    const link = new Link(steady(0));
    link.block(0, 100, 3_000);
    assert.equal(freeAt(link), 100);
  });
});
