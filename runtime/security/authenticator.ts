import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { LRUCache } from "lru-cache";
import type { Auth } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";
import { ClientCertificates } from "./client-certificates.ts";
import type { FailureLimit } from "./failure-limit.ts";
import { issuerName } from "./issuer-name.ts";
import { networkOf } from "./network.ts";
import { Passwords } from "./passwords.ts";
import { anonymousPrincipal, hasExpired, localPrincipal, type Principal } from "./principal.ts";
import { digestOf, SecretTable } from "./secret-table.ts";
import { bindingProblem } from "./token-claims.ts";
import { claimedIssuer, foreignIssuer, refused, TokenIssuer } from "./token-issuer.ts";
import { WaitingRoom } from "./waiting-room.ts";

/** Credentials that were checked at some cost and are not checked again for a while; the rest is forgotten. */
const maxRemembered = 10_000;
const passwordCacheMs = 60_000;
/** A rejected token stays rejected for this time, so that the issuer is not asked on every request. */
const wrongTokenMs = 10_000;
/** Hashing keeps a thread and 128 MiB busy; more at once would starve the file system's threads. */
const passwordRoom = { what: "passwords", atOnce: 2, atOnceEach: 1, waiting: 64, waitingEach: 4 };
/** Look-ups at issuers: a flood of unknown tokens must not become a flood there. One address may stand for an office. */
const lookupRoom = { what: "tokens", atOnce: 32, atOnceEach: 8, waiting: 256, waitingEach: 16 };
const defaultApiKeyHeader = "x-api-key";

interface Remembered {
  readonly principal: Principal;
  readonly until: number;
}

/** A token that was refused, and why. */
interface Wrong {
  readonly error: FleetError;
  readonly until: number;
}

/** What the last request of a connection said of its caller. */
interface Said extends Remembered {
  readonly authorization: string;
}

/**
 * Tells who is calling, by whatever credential comes: a bearer token (static, JWT, opaque), a password, an API key, a
 * client certificate, or none. Keeps digests instead of secrets, but for the token that an open connection sends with
 * every request. What took work to check is remembered by its digest
 * until it ends, and no longer than the issuer's `cacheSeconds`, so that a revoked token does not live on.
 */
export class Authenticator {
  readonly #tokens: SecretTable | undefined;
  readonly #keys: SecretTable | undefined;
  readonly #keyHeader: string;
  readonly #passwords: Passwords | undefined;
  readonly #issuers: ReadonlyMap<string, TokenIssuer>;
  readonly #opaque: readonly TokenIssuer[];
  readonly #certificates: ClientCertificates | undefined;
  readonly #fallback: Principal | undefined;
  readonly #remembered = new LRUCache<string, Remembered>({ max: maxRemembered });
  /** Checks under way, so that a token that comes a hundred times at once is checked once. */
  readonly #checking = new Map<string, Promise<Principal>>();
  /** Most connections are of one caller, whose credential then needs no look-up; forgotten with the connection. */
  readonly #said = new WeakMap<Socket, Said>();
  readonly #wrong = new LRUCache<string, Wrong>({ max: maxRemembered });
  readonly #failures: FailureLimit | undefined;
  readonly #hashing: WaitingRoom;
  readonly #lookups: WaitingRoom;
  readonly #clock: () => number;
  /** What a caller without a credential is told to send. */
  readonly #wanted: string;

  /** `clock`: milliseconds since the epoch; `failures` counts what is refused here, undefined when nobody does. */
  constructor(auth: Auth | undefined, clock: () => number = Date.now, failures?: FailureLimit) {
    this.#clock = clock;
    this.#failures = failures;
    this.#hashing = new WaitingRoom({ ...passwordRoom, failures });
    this.#lookups = new WaitingRoom({ ...lookupRoom, failures });
    const { bearerTokens, apiKeys, basic, jwt = [], oauth, clientCertificates } = auth ?? {};
    this.#tokens =
      bearerTokens &&
      new SecretTable(
        bearerTokens.map(({ token, ...holder }) => ({ ...holder, secret: token })),
        "bearer",
        clock,
      );
    this.#keys =
      apiKeys &&
      new SecretTable(
        apiKeys.map(({ key, ...holder }) => ({ ...holder, secret: key })),
        "api-key",
        clock,
      );
    this.#keyHeader = (auth?.apiKeyHeader ?? defaultApiKeyHeader).toLowerCase();
    this.#passwords = basic && new Passwords(basic, clock);
    const issuers = jwt.map((options) => new TokenIssuer(options, oauth?.resource, clock));
    this.#issuers = new Map(issuers.map((issuer) => [issuerName(issuer.issuer), issuer]));
    this.#opaque = issuers.filter(({ introspects }) => introspects);
    this.#certificates = clientCertificates && new ClientCertificates(clientCertificates, clock);
    if (auth === undefined) this.#fallback = localPrincipal;
    else this.#fallback = auth.allowAnonymous === true ? anonymousPrincipal : undefined;
    this.#wanted = wanted(auth);
  }

  get remembered(): number {
    return this.#remembered.size;
  }

  get bound(): number {
    return maxRemembered;
  }

  /** Checks that wait for their turn, and their bound. */
  get waiting(): { readonly size: number; readonly max: number } {
    return {
      size: this.#hashing.waiting + this.#lookups.waiting,
      max: this.#hashing.bound + this.#lookups.bound,
    };
  }

  /**
   * Who calls: at once when that is known, later when it takes work. `address`: where the request comes from. Throws or rejects
   * with UNAUTHENTICATED or TOKEN_REFUSED; with AUTH_BUSY or RATE_LIMITED when a check would wait too long or may not be made.
   */
  identify(request: IncomingMessage, address = ""): Principal | Promise<Principal> {
    const { authorization } = request.headers;
    if (this.#fallback === localPrincipal) return localPrincipal;
    if (authorization !== undefined) {
      const said = this.#said.get(request.socket);
      if (said !== undefined && said.authorization === authorization && this.#clock() < said.until) {
        return said.principal;
      }
      return this.#ofHeader(authorization, request.socket, address);
    }
    const key = this.#keys === undefined ? undefined : request.headers[this.#keyHeader];
    if (typeof key === "string") {
      const holder = this.#keys?.find(digestOf(key));
      if (holder !== undefined) return holder;
      throw this.#counted(refused("it is not a key that is known here"), address);
    }
    const certified = this.#certificates?.identify(request.socket as TLSSocket);
    if (certified !== undefined) return certified;
    if (this.#fallback !== undefined) return this.#fallback;
    throw new FleetError("UNAUTHENTICATED", `Unauthorized: ${this.#wanted}`);
  }

  /** What kind of credential a request carries, in words that hold nothing of it. */
  kindOf({ headers, socket }: IncomingMessage): "bearer" | "basic" | "other" | "api-key" | "certificate" | "none" {
    const { authorization } = headers;
    if (authorization !== undefined) {
      const scheme = authorization.slice(0, authorization.indexOf(" ")).toLowerCase();
      return scheme === "bearer" || scheme === "basic" ? scheme : "other";
    }
    if (this.#keys !== undefined && headers[this.#keyHeader] !== undefined) return "api-key";
    return (socket as TLSSocket).authorized === true ? "certificate" : "none";
  }

  #ofHeader(authorization: string, socket: Socket, address: string): Principal | Promise<Principal> {
    const space = authorization.indexOf(" ");
    const scheme = authorization.slice(0, space).toLowerCase();
    const value = authorization.slice(space + 1);
    if (scheme === "bearer") return this.#ofToken(value, authorization, socket, address);
    if (scheme === "basic" && this.#passwords !== undefined) return this.#ofPassword(this.#passwords, value, address);
    throw new FleetError("UNAUTHENTICATED", `Unauthorized: ${this.#wanted}`);
  }

  #ofToken(token: string, authorization: string, socket: Socket, address: string): Principal | Promise<Principal> {
    const digest = digestOf(token);
    const principal = this.#tokens?.find(digest);
    const known = principal === undefined ? this.#recall(digest) : { principal, until: Number.POSITIVE_INFINITY };
    if (known !== undefined) {
      this.#checkBinding(known.principal, socket, address);
      const until = Math.min(known.until, known.principal.expiresAt ?? known.until);
      this.#said.set(socket, { authorization, principal: known.principal, until });
      return known.principal;
    }
    if (this.#issuers.size === 0) throw this.#counted(refused("it is not one that is known here"), address);
    const wrong = this.#wrong.get(digest);
    if (wrong !== undefined && this.#clock() < wrong.until) throw this.#counted(wrong.error, address);
    const room = this.#asks(token) ? this.#lookups : undefined;
    return this.#once(digest, address, room, () => this.#verify(token))
      .catch((error) => {
        if (error instanceof FleetError && error.code === "TOKEN_REFUSED") {
          this.#wrong.set(digest, { error, until: this.#clock() + wrongTokenMs });
        }
        throw error;
      })
      .then((found) => {
        this.#checkBinding(found, socket, address);
        return found;
      });
  }

  /** A token that is bound to a client certificate is good on connections with that certificate only. */
  #checkBinding({ claims }: Principal, socket: Socket, address: string): void {
    if (claims.cnf === undefined) return;
    const problem = bindingProblem(claims, () => thumbprintOf(socket as TLSSocket));
    if (problem !== undefined) throw this.#counted(refused(problem), address);
  }

  #asks(token: string): boolean {
    const named = claimedIssuer(token);
    return named === undefined ? this.#opaque.length > 0 : (this.#issuers.get(issuerName(named))?.asks(token) ?? false);
  }

  async #verify(token: string): Promise<{ principal: Principal; forMs: number }> {
    const named = claimedIssuer(token);
    if (named !== undefined) {
      const issuer = this.#issuers.get(issuerName(named));
      if (issuer === undefined) throw refused(foreignIssuer);
      return { principal: await issuer.verify(token), forMs: issuer.cacheMs };
    }
    let failure = refused("it is not one that is known here");
    for (const issuer of this.#opaque) {
      try {
        return { principal: await issuer.verify(token), forMs: issuer.cacheMs };
      } catch (error) {
        failure = error as FleetError;
        if (failure.code !== "TOKEN_REFUSED") throw failure;
      }
    }
    throw failure;
  }

  #ofPassword(passwords: Passwords, value: string, address: string): Principal | Promise<Principal> {
    const digest = digestOf(`basic ${value}`);
    const known = this.#recall(digest);
    if (known !== undefined) return known.principal;
    const pair = Buffer.from(value, "base64").toString("utf8");
    const colon = pair.indexOf(":");
    if (colon < 0) throw this.#counted(refused("it is not a name and a password"), address);
    return this.#once(digest, address, this.#hashing, async () => {
      const principal = await passwords.check(pair.slice(0, colon), pair.slice(colon + 1));
      if (principal === undefined) throw refused("the name or the password is wrong");
      return { principal, forMs: passwordCacheMs };
    });
  }

  #recall(digest: string): Remembered | undefined {
    const found = this.#remembered.get(digest);
    if (found === undefined) return undefined;
    const now = this.#clock();
    if (now < found.until && !hasExpired(found.principal, now)) return found;
    this.#remembered.delete(digest);
    return undefined;
  }

  /** Checks a credential, in its turn where there is a room, and once for all who send it meanwhile. Each of them counts when it is refused. */
  #once(
    digest: string,
    address: string,
    room: WaitingRoom | undefined,
    check: () => Promise<{ principal: Principal; forMs: number }>,
  ): Promise<Principal> {
    const under = this.#checking.get(digest);
    if (under !== undefined) return this.#counting(under, address);
    const checking = (room === undefined ? check() : room.run(networkOf(address), check))
      .then(({ principal, forMs }) => {
        this.#remembered.set(digest, { principal, until: this.#clock() + forMs });
        return principal;
      })
      .finally(() => this.#checking.delete(digest));
    this.#checking.set(digest, checking);
    // A room counts for itself, before it lets the next one in.
    return room === undefined ? this.#counting(checking, address) : checking;
  }

  #counting(checking: Promise<Principal>, address: string): Promise<Principal> {
    return checking.catch((error) => {
      throw this.#counted(error, address);
    });
  }

  #counted<Failure>(error: Failure, address: string): Failure {
    if (error instanceof FleetError && error.code === "TOKEN_REFUSED") this.#failures?.failed(networkOf(address));
    return error;
  }
}

/** SHA-256 of the connection's client certificate in base64url (RFC 8705, section 3.1), whose key the handshake has proved. */
function thumbprintOf(socket: TLSSocket): string | undefined {
  const raw = socket.getPeerCertificate?.()?.raw;
  return raw && hash("sha256", raw, "base64url");
}

function wanted(auth: Auth | undefined): string {
  const ways = [
    auth?.bearerTokens && "a configured token as `Authorization: Bearer <token>`",
    auth?.jwt && "an access token as `Authorization: Bearer <token>`",
    auth?.apiKeys && `a key as \`${auth.apiKeyHeader ?? defaultApiKeyHeader}: <key>\``,
    auth?.basic && "a name and a password as `Authorization: Basic …`",
    auth?.clientCertificates && "a client certificate",
  ];
  return `send ${ways.filter(Boolean).join(", or ")}`;
}
