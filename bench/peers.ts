/** What a user would run instead: each tool's command, and whether it verifies. */

import { basename, dirname } from "node:path";
import { mainPath } from "../test/support/cli.js";
import { isInstalled } from "./started.js";

/** What each tool is given. */
export interface Race {
  readonly source: string;
  /** `sha256:…` of it. */
  readonly digest: string;
  readonly size: number;
  /** Where it goes; the folder is empty. */
  readonly output: string;
  readonly quorate: readonly number[];
  readonly nginx: readonly number[];
}

/** A tool, or a mere copy, which says what the disk can do: a shell script, so that a digest afterwards is part of what is timed. */
export interface Peer {
  readonly name: string;
  readonly needs: readonly string[];
  readonly feed: "quorate" | "nginx";
  /** Whether what it leaves is known to be right. */
  readonly verifies: boolean;
  script(race: Race): string;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const urlsOf = ({ nginx, source }: Race) =>
  nginx.map((port) => `http://127.0.0.1:${port}/${basename(source)}`);

/** `openssl dgst` is what reads fastest: coreutils' sha256sum takes four times as long here. */
const checked = ({ output, digest }: Race) =>
  `[ "$(openssl dgst -sha256 -r ${quoted(output)} | cut -c1-64)" = ${digest.slice(7)} ]`;

function aria2(race: Race, checksum: readonly string[]): string {
  const { output, nginx } = race;
  const place = [`--dir=${dirname(output)}`, `--out=${basename(output)}`, "--no-conf=true"];
  const split = ["-x1", `-s${nginx.length}`, "-k1M", "--file-allocation=none", "--quiet=true"];
  return ["exec", "aria2c", ...place, ...split, ...checksum, ...urlsOf(race)].join(" ");
}

function curlRanges(race: Race): string {
  const { nginx, size, output } = race;
  const urls = urlsOf(race);
  const share = Math.ceil(size / nginx.length);
  const parts = urls.map((url, index) => {
    const range = `${index * share}-${Math.min(size, (index + 1) * share) - 1}`;
    return `curl -sf -r ${range} -o ${quoted(`${output}.${index}`)} ${url} & pids="$pids $!"`;
  });
  const names = urls.map((_, index) => quoted(`${output}.${index}`)).join(" ");
  const wait = "for pid in $pids; do wait $pid || exit 1; done";
  return `${parts.join("\n")}\n${wait}\ncat ${names} > ${quoted(output)} && rm ${names}`;
}

const all: readonly Peer[] = [
  {
    name: "quorate get",
    needs: [],
    feed: "quorate",
    verifies: true,
    script: ({ output, quorate, source }) => {
      const args = [mainPath, "get", basename(source), "-o", output, "--json"].map(quoted);
      const ports = quorate.join(" ");
      return `exec ${[quoted(process.execPath), ...args].join(" ")} -p ${ports} >/dev/null`;
    },
  },
  {
    name: "curl, openssl dgst",
    needs: ["curl", "openssl"],
    feed: "nginx",
    verifies: true,
    script: (race) => `curl -sf -o ${quoted(race.output)} ${urlsOf(race)[0]} && ${checked(race)}`,
  },
  {
    name: "curl × 4 ranges",
    needs: ["curl"],
    feed: "nginx",
    verifies: false,
    script: curlRanges,
  },
  {
    name: "curl × 4, openssl",
    needs: ["curl", "openssl"],
    feed: "nginx",
    verifies: true,
    script: (race) => `${curlRanges(race)} && ${checked(race)}`,
  },
  {
    name: "the disk: dd, fsync",
    needs: ["dd"],
    feed: "nginx",
    verifies: false,
    script: ({ source, output }) =>
      `exec dd if=${quoted(source)} of=${quoted(output)} bs=1M conv=fsync status=none`,
  },
  {
    name: "aria2",
    needs: ["aria2c"],
    feed: "nginx",
    verifies: false,
    script: (race) => aria2(race, []),
  },
  {
    name: "aria2 --checksum",
    needs: ["aria2c"],
    feed: "nginx",
    verifies: true,
    script: (race) => aria2(race, [`--checksum=sha-256=${race.digest.slice(7)}`]),
  },
  {
    name: "axel",
    needs: ["axel"],
    feed: "nginx",
    verifies: false,
    script: (race) =>
      `exec axel -q -n ${race.nginx.length} -o ${quoted(race.output)} ${urlsOf(race).join(" ")}`,
  },
  {
    name: "lftp pget",
    needs: ["lftp"],
    feed: "nginx",
    verifies: false,
    script: (race) =>
      `exec lftp -c ${quoted(`pget -n ${race.nginx.length} ${urlsOf(race)[0]} -o ${race.output}`)}`,
  },
  {
    name: "rclone",
    needs: ["rclone"],
    feed: "nginx",
    verifies: false,
    script: (race) => {
      const [url = ""] = urlsOf(race);
      const from = `--http-url ${dirname(url)} :http:${basename(url)}`;
      const streams = `--multi-thread-streams ${race.nginx.length} --multi-thread-cutoff 1M`;
      return `exec rclone copyto -q --config /dev/null ${streams} ${from} ${quoted(race.output)}`;
    },
  },
];

const versionFlags: Readonly<Record<string, string>> = { openssl: "version" };

/** Those whose programs are here, and the names of the others. */
export function peersHere(): { readonly peers: readonly Peer[]; readonly missing: string[] } {
  const lacks = ({ needs }: Peer) =>
    needs.some((program) => !isInstalled(program, versionFlags[program] ?? "--version"));
  return {
    peers: all.filter((peer) => !lacks(peer)),
    missing: all.filter(lacks).map(({ name }) => name),
  };
}
