import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { createSemaphore } from '../../lib/semaphore.ts';

export interface Passwords {
  /** `scrypt$ln=15,r=8,p=3$SALT$KEY`, so that hashes outlive a change of the cost. */
  hash(password: string): Promise<string>;
  /** Takes as long for a user that is not there (null) as for one that is. */
  verify(password: string, stored: string | null): Promise<boolean>;
}

const BLOCK_SIZE = 8;
const PARALLEL = 3;
const KEY_BYTES = 32;
/** Of them are under way at a time; each takes a thread of Node's pool and tens of MiB. */
const CONCURRENT = 2;

interface Parameters {
  cost: number;
  blockSize: number;
  parallel: number;
}

function derive(password: string, salt: Buffer, { cost, blockSize, parallel }: Parameters): Promise<Buffer> {
  const N = 2 ** cost;
  const options: ScryptOptions = {
    N,
    r: blockSize,
    p: parallel,
    maxmem: 128 * N * blockSize + 128 * blockSize * parallel + 1024 * 1024,
  };
  return new Promise((resolve, reject) => {
    // Two keyboards may write the same letter in two ways.
    scrypt(password.normalize('NFC'), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

const STORED = /^scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]+)\$([\w-]+)$/;

/** Memory-hard (RFC 7914). @param cost 2 to this power blocks of 1 KiB */
export function createPasswords(cost: number): Passwords {
  const turns = createSemaphore(CONCURRENT);
  const usual: Parameters = { cost, blockSize: BLOCK_SIZE, parallel: PARALLEL };
  const noSalt = Buffer.alloc(16);

  const inTurn = async (password: string, salt: Buffer, parameters: Parameters): Promise<Buffer> => {
    await turns.acquire();
    try {
      return await derive(password, salt, parameters);
    } finally {
      turns.release();
    }
  };

  return {
    hash: async (password) => {
      const salt = randomBytes(16);
      const key = await inTurn(password, salt, usual);
      const parameters = `ln=${cost},r=${BLOCK_SIZE},p=${PARALLEL}`;
      return `scrypt$${parameters}$${salt.toString('base64url')}$${key.toString('base64url')}`;
    },
    verify: async (password, stored) => {
      const [, ln, r, p, salt, key] = STORED.exec(stored ?? '') ?? [];
      if (salt === undefined || key === undefined) {
        await inTurn(password, noSalt, usual);
        return false;
      }
      const parameters = { cost: Number(ln), blockSize: Number(r), parallel: Number(p) };
      const derived = await inTurn(password, Buffer.from(salt, 'base64url'), parameters);
      const expected = Buffer.from(key, 'base64url');
      return derived.length === expected.length && timingSafeEqual(derived, expected);
    },
  };
}
