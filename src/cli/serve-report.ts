/** Tells a group of virtual servers to a person: a live table on a terminal, lines elsewhere. */

import { endpointText } from "../command-line.js";
import type { ServeEvent, ServerStatus } from "../index.js";
import { bytesText, countText, percentText, rateText, table } from "./format.js";
import type { Screen } from "./terminal.js";

/** What a reporter of a group does with each event. `footer`: the last line of the live view. */
export function reportServing(
  what: string,
  host: string,
  screen: Screen,
  footer: () => string,
): (event: ServeEvent) => void {
  const hashedPercents = new Map<string, number>();
  return (event) => {
    switch (event.event) {
      case "dropped":
        screen.say(`serve: port ${event.port} is dropped: ${event.why}`);
        return;
      case "listening":
        screen.say(`serve: ${what} from ${listeningText(event)}`);
        return;
      case "hashing": {
        const percent = Math.floor((event.doneBytes / Math.max(1, event.totalBytes)) * 10) * 10;
        if (percent === hashedPercents.get(event.name)) return;
        hashedPercents.set(event.name, percent);
        const done = percentText(event.doneBytes, event.totalBytes);
        screen.say(`serve: hashing ${event.name}: ${done} of ${bytesText(event.totalBytes)}`);
        return;
      }
      case "started":
        screen.say(`serve: server ${event.number} on port ${event.port} is started`);
        return;
      case "stopped":
        screen.say(`serve: server ${event.number} on port ${event.port} is stopped: ${event.why}`);
        return;
      case "failed":
        screen.say(
          `serve: server ${event.number} on port ${event.port} cannot start: ${event.why}`,
        );
        return;
      case "status":
        if (screen.isLive) screen.draw([...statusTable(host, event.servers), footer()]);
        else for (const status of event.servers) screen.say(statusLine(host, status));
        return;
      case "insecure":
      case "reloaded":
      case "not-reloaded":
      case "survived":
      case "unforeseen":
        screen.say(`serve: ${noteText(event)}`);
        return;
      case "draining":
        screen.clear();
        screen.say("serve: stopping: running reads may finish for up to 10 s");
        return;
      case "drained":
        screen.say(`serve: stopped; ${bytesText(sentBy(event.servers))} were sent`);
        return;
      default:
        event satisfies never;
    }
  };
}

function listeningText({
  host,
  servers,
}: Extract<ServeEvent, { readonly event: "listening" }>): string {
  const ports = servers.map(({ port }) => port).join(", ");
  const noun = servers.length === 1 ? "port" : "ports";
  return `${countText(servers.length, "virtual server")} on ${host}, ${noun} ${ports}`;
}

function sentBy(servers: readonly ServerStatus[]): number {
  return servers.reduce((sum, { bytes }) => sum + bytes, 0);
}

type Note = Extract<
  ServeEvent,
  { readonly event: "insecure" | "reloaded" | "not-reloaded" | "survived" | "unforeseen" }
>;

function noteText(event: Note): string {
  switch (event.event) {
    case "insecure":
      return `warning: on ${event.host}, beyond this machine: ${event.why}`;
    case "reloaded":
      return `new ${event.what} hold from now on`;
    case "not-reloaded":
      return `warning: the old ${event.what} stay: ${event.why}`;
    case "survived":
      return `warning: something failed outside of any call (${event.reference}): ${event.why}`;
    case "unforeseen":
      return `warning: port ${event.port}: a call failed as nobody foresaw (${event.reference}): ${event.why}`;
    default:
      return event satisfies never;
  }
}

function statusLine(host: string, status: ServerStatus): string {
  const { number, port, state, streams, bytes, rate, errors, fault } = status;
  const broken = fault === undefined ? "" : `, broken on purpose (${fault})`;
  const sent = `${bytesText(bytes)} sent, ${rateText(rate)}`;
  const many = `${countText(streams, "stream")}, ${sent}, ${countText(errors, "error")}`;
  return `serve: server ${number} ${endpointText(host, port)} ${state}, ${many}${broken}`;
}

function statusTable(host: string, servers: readonly ServerStatus[]): string[] {
  const rows = servers.map(({ number, port, state, streams, bytes, rate, errors, fault }) => [
    String(number),
    endpointText(host, port),
    state,
    String(streams),
    bytesText(bytes),
    rateText(rate),
    String(errors),
    fault === undefined ? "" : `fault: ${fault}`,
  ]);
  const head = ["#", "address", "state", "streams", "sent", "rate", "errors", ""];
  return table(head, rows, ["#", "streams", "sent", "rate", "errors"]);
}
