import Type, { type Static } from "typebox";

const options = { additionalProperties: false } as const;
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

/** TLS towards a server that something else runs: whom the gateway believes, and who it says it is. */
export const UpstreamTls = Type.Object(
  {
    caFile: text(
      "PEM file with the authorities of the server's certificate, in place of the system's. A changed file is taken over without a restart, here and below.",
    ),
    certFile: text("PEM file with the gateway's client certificate and its chain (mTLS). Defaults to none."),
    keyFile: text("PEM file with its private key."),
    serverName: text(
      "Name in the server's certificate, also sent to it (SNI). Defaults to the host of the address; needed where instances are found by address.",
    ),
  },
  options,
);

export type UpstreamTls = Static<typeof UpstreamTls>;
