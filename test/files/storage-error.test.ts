import assert from "node:assert/strict";
import { StorageError, UsageError } from "../../src/errors.js";
import { errorCode, storageError, storageErrorText } from "../../src/files/storage-error.js";

describe("storageErrorText", () => {
  const texts: readonly (readonly [code: string, says: RegExp])[] = [
    ["ENOSPC", /^the disk is full$/],
    ["EFBIG", /larger than the file system or `ulimit -f` allows$/],
    ["EACCES", /permission denied \(EACCES\)$/],
    ["EPERM", /permission denied \(EPERM\)$/],
    ["EROFS", /read-only$/],
    ["ENOENT", /no such file or folder$/],
    ["ENOTDIR", /no folder$/],
    ["EISDIR", /it is a folder$/],
    ["EIO", /^the disk failed \(EIO\)$/],
    ["EMFILE", /too many files are open \(EMFILE\); raise `ulimit -n`$/],
    ["ENAMETOOLONG", /the name is too long$/],
  ];
  for (const [code, says] of texts) {
    it(`says what ${code} means`, () => assert.match(storageErrorText(failed(code)), says));
  }

  it("knows a used-up quota by its number: Node has no name for it", () => {
    const error = Object.assign(failed("Unknown system error -122"), { errno: -122 });
    assert.equal(errorCode(error), "EDQUOT");
    assert.match(storageErrorText(error), /quota is used up$/);
  });

  it("gives the message of what is no failed system call", () => {
    assert.equal(storageErrorText(new Error("odd")), "odd");
    assert.equal(storageErrorText("thrown text"), "thrown text");
  });
});

describe("errorCode", () => {
  it("is there for system calls only", () => {
    assert.equal(errorCode(failed("ENOSPC")), "ENOSPC");
    const others = [new Error("x"), Object.assign(new Error("x"), { code: 5 }), null, "ENOSPC", {}];
    for (const other of others) assert.equal(errorCode(other), undefined);
  });
});

describe("storageError", () => {
  it("says what we did, where, and why it failed, and keeps the cause", () => {
    const cause = failed("EROFS");
    const error = storageError("write", "/x/y", cause);
    assert.equal(error.message, "write /x/y: the file system is read-only");
    assert.equal(error.cause, cause);
    assert.equal(error.exitCode, 7);
  });

  it("promises to resume only where there is something to be resumed", () => {
    const full = storageError("write", "/x", failed("ENOSPC"));
    assert.match(full.message, /the disk is full; free some space and run it again to resume$/);
    const broken = storageError("write", "/x", failed("EIO"));
    assert.match(broken.message, /the disk failed \(EIO\); what was verified before is kept$/);
    for (const code of ["ENOSPC", "EDQUOT", "EIO"]) {
      const { message } = storageError("write", "stdout", failed(code), "nothing");
      assert.doesNotMatch(message, /again|resume|kept/);
    }
  });

  it("leaves a StorageError as it is, and no other error", () => {
    const clear = new StorageError("said already");
    assert.equal(storageError("write", "/x", clear), clear);
    assert.equal(storageError("write", "/x", new UsageError("odd")).message, "write /x: odd");
  });
});

function failed(code: string): Error {
  return Object.assign(new Error(`${code}: it failed`), { code });
}
