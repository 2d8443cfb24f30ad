/** `quorate digest`: what a local file is, and what replicas that hold it should claim. */

import { digestFile } from "../index.js";
import { percentText } from "./format.js";
import { insistOnResults, openScreen, print, printJson } from "./terminal.js";

export async function runDigest(
  path: string,
  flags: { json?: boolean | undefined },
): Promise<void> {
  insistOnResults();
  const screen = await openScreen({ isQuiet: flags.json === true });
  const onProgress = (doneBytes: number, totalBytes: number) => {
    if (screen.isLive) screen.draw([`${path}: hashing, ${percentText(doneBytes, totalBytes)}`]);
  };
  const { digest, size, pieceBytes, pieceCount, root } = await digestFile(path, {
    onProgress,
  }).finally(() => screen.clear());
  if (flags.json === true) {
    printJson({
      event: "manifest",
      path,
      digest,
      size,
      pieceSize: pieceBytes,
      pieceCount,
      pieceRoot: root,
    });
    return;
  }
  print(`digest  ${digest}`);
  print(`size    ${size}`);
  print(`pieces  ${pieceCount} of ${pieceBytes} bytes`);
  print(`root    ${root}`);
}
