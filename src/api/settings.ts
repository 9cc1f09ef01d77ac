/** How the server is set up; `roles` makes it of the configuration. */
export interface ApiSettings {
  /** Signs the tokens; at least 32 characters. */
  jwtSecret: string;
  /** @default 24 */
  jwtExpiresHours: number;
  /** Whether anybody may register; the first account can always be made. */
  registrationOpen: boolean;
  /** Origins of browsers that may ask. @default any */
  corsOrigins: readonly string[] | '*';
  /** Whether the address of the client is that of the proxy's headers. */
  trustProxy: boolean;
  /** Address that the MLLP listener of the HL7 tools listens on. @default 127.0.0.1 */
  listenerHost: string;
  /** Cost of a password's hash: 2 to this power blocks of 1 KiB, three times over. @default 15 */
  passwordCost: number;
  /** Failed sign-ins of one name or from one address within a minute. @default 10 */
  signInsPerMinute: number;
  /** Accounts made from one address within an hour. @default 20 */
  registrationsPerHour: number;
  /** Wrong keys and tokens from one address within a minute. @default 60 */
  badCredentialsPerMinute: number;
  /** A request without an answer is refused after so long. @default 30000 */
  requestTimeoutMs: number;
  /** @default 16 MiB */
  bodyLimitBytes: number;
}

/** All but the secret, which has no default. */
export const DEFAULT_SETTINGS: Omit<ApiSettings, 'jwtSecret'> = {
  jwtExpiresHours: 24,
  registrationOpen: true,
  corsOrigins: '*',
  trustProxy: false,
  listenerHost: '127.0.0.1',
  passwordCost: 15,
  signInsPerMinute: 10,
  registrationsPerHour: 20,
  badCredentialsPerMinute: 60,
  requestTimeoutMs: 30_000,
  bodyLimitBytes: 16 * 1024 * 1024,
};
