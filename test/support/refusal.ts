/** What the disk's edge refuses with, as tests expect it. */

import assert from "node:assert/strict";
import { StorageError } from "../../src/errors.js";

/** Accepts a StorageError that says so, and fails on anything else. */
export function refusal(says: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StorageError, String(error));
    assert.match(error.message, says);
    return true;
  };
}
