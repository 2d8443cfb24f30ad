/** Reads a list of replicas: `host port` or `host:port` a line, or several separated by commas. */

import { readFile, stat } from "node:fs/promises";
import { UsageError } from "../errors.js";
import { limits } from "../limits.js";
import { storageErrorText } from "./storage-error.js";

/** One line's worth, with nothing but its form checked. */
export interface ListedServer {
  readonly host: string;
  readonly port: number;
}

/**
 * The servers in a file, or in the text itself when it is a comma list such as `a:1,b:2`. Empty
 * lines and what follows a `#` do not count. Throws UsageError, naming the line, for whatever is
 * neither.
 */
export async function readServers(fileOrList: string): Promise<ListedServer[]> {
  const parts = fileOrList.split(",").map((part) => part.trim());
  const asList = () => parseServers(parts.join("\n"), "the list of servers");
  if (parts.some((part) => parseServer(part) !== undefined)) return asList();
  let text: string;
  try {
    if ((await stat(fileOrList)).size > limits.serversFileBytes) throw new Error("it is too large");
    text = await readFile(fileOrList, "utf8");
  } catch (error) {
    if (parts.length > 1) return asList();
    throw new UsageError(`read the servers file ${fileOrList}: ${storageErrorText(error)}`, {
      cause: error,
    });
  }
  return parseServers(text, fileOrList);
}

/** The same, of a text; `source` names it in messages. */
export function parseServers(text: string, source: string): ListedServer[] {
  const servers: ListedServer[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const content = line.replace(/#.*/, "").trim();
    if (content === "") continue;
    const server = parseServer(content);
    if (server === undefined) {
      const where = `${source}, line ${index + 1}`;
      // A file of another kind may be one line without an end.
      const shown = content.length > 80 ? `${content.slice(0, 80)}…` : content;
      throw new UsageError(
        `${where}: ${JSON.stringify(shown)} is not \`host port\` or \`host:port\``,
      );
    }
    servers.push(server);
  }
  if (servers.length === 0) throw new UsageError(`${source}: it names no server`);
  return servers;
}

/** `host port`, `host:port`, `[v6]:port` or `v6 port`; `undefined` when it is none of them. */
export function parseServer(content: string): ListedServer | undefined {
  const match =
    /^\[([0-9a-f:.]+)\](?:\s+|:)(\d{1,5})$/i.exec(content) ??
    // An IPv6 address without brackets has two colons at least, and a space before the port.
    /^([0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*)\s+(\d{1,5})$/i.exec(content) ??
    /^([^\s:[\]]+)(?:\s+|:)(\d{1,5})$/.exec(content);
  const host = match?.[1];
  const port = Number(match?.[2]);
  if (host === undefined || port < 1 || port > 65535) return undefined;
  return { host, port };
}
