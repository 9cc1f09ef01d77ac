/** What the driver says when it is asked for a password and has none, and what a server says of an empty one. */
const NO_PASSWORD = /client password must be|empty password returned/;

const CHECK_USER = 'check the user in the URL, that its role is there, and that pg_hba.conf lets it in';

/** Why a server does not let us in, and what to do (PostgreSQL, Appendix A); null of any other fault. */
export function loginRefusal(sqlState: string | null, reason: string): string | null {
  if (NO_PASSWORD.test(reason)) {
    return 'the server asks for a password, and the URL has none: write it as postgres://USER:PASSWORD@HOST/DATABASE';
  }
  switch (sqlState) {
    case '28P01':
      return `the server refuses user or password (${reason}): check both in the URL`;
    case '28000':
      return `${reason}: ${CHECK_USER}`;
    case '3D000':
      return `${reason}: make it with "createdb", or correct the URL`;
    case '42501':
      return /for database/.test(reason) ? `${reason}: grant its user what is missing` : null;
    default:
      return null;
  }
}
