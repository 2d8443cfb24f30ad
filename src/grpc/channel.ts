/** Decides how connections behave: every grpc-js option that we set, with its reason. */

import { ChannelCredentials } from "@grpc/grpc-js";
import { type Channel, createChannel } from "nice-grpc";
import { limits } from "../limits.js";
import { endpointText } from "./resolve.js";

const second = 1000;

/** Of a client's connection to one replica. */
const clientOptions = {
  // The default of 64 KiB moves 1.3 MB/s over 50 ms.
  "grpc-node.flow_control_window": limits.windowBytes,
  // Channels with equal options would share one connection.
  "grpc.use_local_subchannel_pool": 1,
  // Otherwise `http_proxy` is obeyed, for loopback too.
  "grpc.enable_http_proxy": 0,
  // A TXT record of a replica's domain has no say in our retries and timeouts.
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_channelz": 0,
  // Trying again is the schedule's: it knows other replicas.
  "grpc.enable_retries": 0,
  "grpc.max_receive_message_length": limits.messageBytes,
  // A frozen path is otherwise found only by a deadline.
  "grpc.keepalive_time_ms": 20 * second,
  "grpc.keepalive_timeout_ms": 5 * second,
  // A server that comes back is found within seconds, not after grpc-js's two minutes.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2 * second,
} as const;

/** Of a virtual server. */
export const serverOptions = {
  "grpc.max_concurrent_streams": limits.streamsPerConnection,
  "grpc.max_receive_message_length": limits.requestBytes,
  // grpc-js 1.14 keeps the list of connections that forceShutdown breaks for channelz only:
  // without it, a server that is stopped would go on serving whoever is connected.
  "grpc.enable_channelz": 1,
  // All of these are off by default: a client that vanished would hold its connection for ever.
  "grpc.keepalive_time_ms": 30 * second,
  "grpc.keepalive_timeout_ms": 10 * second,
  "grpc.max_connection_idle_ms": 300 * second,
  "grpc.max_connection_age_ms": 3600 * second,
  "grpc.max_connection_age_grace_ms": 600 * second,
} as const;

/** How a client makes sure of a server, and shows who it is. PEM files. */
export interface ClientTls {
  /** Who signs the servers' certificates; the system's authorities without it. */
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  /** The name that the certificate must bear; the host's without it. */
  readonly serverName: string | undefined;
}

/** A connection to a replica; it is made when first used. In plain text without `tls`. */
export function openChannel(host: string, port: number, tls?: ClientTls): Channel {
  const target = `dns:${endpointText(host, port)}`;
  if (tls === undefined) {
    return createChannel(target, ChannelCredentials.createInsecure(), clientOptions);
  }
  const { ca = null, key = null, cert = null, serverName } = tls;
  const named =
    serverName === undefined
      ? {}
      : {
          "grpc.ssl_target_name_override": serverName,
          "grpc.default_authority": serverName,
        };
  const credentials = ChannelCredentials.createSsl(ca, key, cert);
  return createChannel(target, credentials, { ...clientOptions, ...named });
}
