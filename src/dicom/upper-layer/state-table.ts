/**
 * The DICOM upper layer protocol machine as data: PS3.8 section 9.2, Tables 9-1 to 9-10. What each action does
 * is in `upper-layer.ts`; here stands only when it happens and which state follows.
 */

/** PS3.8 Tables 9-1 to 9-5. */
export const STATES = [
  'Sta1', // idle
  'Sta2', // transport connection open, awaiting A-ASSOCIATE-RQ
  'Sta3', // awaiting the local A-ASSOCIATE response
  'Sta4', // awaiting the transport connection to open
  'Sta5', // awaiting A-ASSOCIATE-AC or A-ASSOCIATE-RJ
  'Sta6', // association established, ready for data
  'Sta7', // awaiting A-RELEASE-RP
  'Sta8', // awaiting the local A-RELEASE response
  'Sta9', // release collision, requestor: awaiting the local A-RELEASE response
  'Sta10', // release collision, acceptor: awaiting A-RELEASE-RP
  'Sta11', // release collision, requestor: awaiting A-RELEASE-RP
  'Sta12', // release collision, acceptor: awaiting the local A-RELEASE response
  'Sta13', // awaiting the transport connection to close
] as const;
export type State = (typeof STATES)[number];

/** The rows of PS3.8 Table 9-10, from Evt1 to Evt19. */
export const EVENTS = [
  'associate-request', // Evt1: local user asks for an association
  'transport-open', // Evt2: the connection we asked for is open
  'associate-ac-pdu', // Evt3
  'associate-rj-pdu', // Evt4
  'transport-indication', // Evt5: a peer has connected
  'associate-rq-pdu', // Evt6
  'associate-accept', // Evt7: local user accepts
  'associate-reject', // Evt8: local user rejects
  'data-request', // Evt9: local user sends P-DATA
  'data-pdu', // Evt10
  'release-request', // Evt11: local user asks to release
  'release-rq-pdu', // Evt12
  'release-rp-pdu', // Evt13
  'release-response', // Evt14: local user answers a release
  'abort-request', // Evt15: local user aborts
  'abort-pdu', // Evt16
  'transport-closed', // Evt17
  'artim-expired', // Evt18
  'invalid-pdu', // Evt19: unrecognised or invalid PDU
] as const;
export type Event = (typeof EVENTS)[number];

/** PS3.8 Tables 9-6 (association), 9-7 (data), 9-8 (release) and 9-9 (abort). */
export const ACTIONS = [
  'AE-1', // issue the transport connect request
  'AE-2', // send A-ASSOCIATE-RQ
  'AE-3', // confirm: accepted
  'AE-4', // confirm: rejected; close the transport
  'AE-5', // answer the transport connection; start ARTIM
  'AE-6', // stop ARTIM; indicate A-ASSOCIATE, or send A-ASSOCIATE-RJ and start ARTIM
  'AE-7', // send A-ASSOCIATE-AC
  'AE-8', // send A-ASSOCIATE-RJ; start ARTIM
  'DT-1', // send P-DATA-TF
  'DT-2', // indicate P-DATA
  'AR-1', // send A-RELEASE-RQ
  'AR-2', // indicate A-RELEASE
  'AR-3', // confirm A-RELEASE; close the transport
  'AR-4', // send A-RELEASE-RP; start ARTIM
  'AR-5', // stop ARTIM
  'AR-6', // indicate P-DATA
  'AR-7', // send P-DATA-TF
  'AR-8', // indicate A-RELEASE (collision)
  'AR-9', // send A-RELEASE-RP
  'AR-10', // confirm A-RELEASE
  'AA-1', // send A-ABORT (service-user); start or restart ARTIM
  'AA-2', // stop ARTIM; close the transport
  'AA-3', // indicate A-ABORT or A-P-ABORT; close the transport
  'AA-4', // indicate A-P-ABORT
  'AA-5', // stop ARTIM
  'AA-6', // ignore the PDU
  'AA-7', // send A-ABORT
  'AA-8', // send A-ABORT (service-provider); indicate A-P-ABORT; start ARTIM
] as const;
export type Action = (typeof ACTIONS)[number];

export interface Transition {
  readonly action: Action;
  readonly next: State;
}

/**
 * Next states of PS3.8 Tables 9-6 to 9-9. Two depend on more than the action: AE-6 leads to Sta13 when the
 * provider itself rejects the request, AR-8 to Sta9 for the requestor and to Sta10 for the acceptor.
 */
const NEXT = {
  'AE-1': 'Sta4',
  'AE-2': 'Sta5',
  'AE-3': 'Sta6',
  'AE-4': 'Sta1',
  'AE-5': 'Sta2',
  'AE-6': 'Sta3',
  'AE-7': 'Sta6',
  'AE-8': 'Sta13',
  'DT-1': 'Sta6',
  'DT-2': 'Sta6',
  'AR-1': 'Sta7',
  'AR-2': 'Sta8',
  'AR-3': 'Sta1',
  'AR-4': 'Sta13',
  'AR-5': 'Sta1',
  'AR-6': 'Sta7',
  'AR-7': 'Sta8',
  'AR-8': 'Sta9',
  'AR-9': 'Sta11',
  'AR-10': 'Sta12',
  'AA-1': 'Sta13',
  'AA-2': 'Sta1',
  'AA-3': 'Sta1',
  'AA-4': 'Sta1',
  'AA-5': 'Sta1',
  'AA-6': 'Sta13',
  'AA-7': 'Sta13',
  'AA-8': 'Sta13',
} as const satisfies Record<Action, State>;

type Row = Partial<Record<State, Action>>;

/** The established and releasing states, which all treat an unexpected PDU alike. */
const established = <A extends Action>(action: A) =>
  ({
    Sta6: action,
    Sta7: action,
    Sta8: action,
    Sta9: action,
    Sta10: action,
    Sta11: action,
    Sta12: action,
  }) as const;

/** PS3.8 Table 9-10, a row an event; a pair that is not here has a blank cell there. */
const TABLE = {
  'associate-request': { Sta1: 'AE-1' },
  'transport-open': { Sta4: 'AE-2' },
  'associate-ac-pdu': { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AE-3', ...established('AA-8'), Sta13: 'AA-6' },
  'associate-rj-pdu': { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AE-4', ...established('AA-8'), Sta13: 'AA-6' },
  'transport-indication': { Sta1: 'AE-5' },
  'associate-rq-pdu': { Sta2: 'AE-6', Sta3: 'AA-8', Sta5: 'AA-8', ...established('AA-8'), Sta13: 'AA-7' },
  'associate-accept': { Sta3: 'AE-7' },
  'associate-reject': { Sta3: 'AE-8' },
  'data-request': { Sta6: 'DT-1', Sta8: 'AR-7' },
  'data-pdu': {
    Sta2: 'AA-1',
    Sta3: 'AA-8',
    Sta5: 'AA-8',
    ...established('AA-8'),
    Sta6: 'DT-2',
    Sta7: 'AR-6',
    Sta13: 'AA-6',
  },
  'release-request': { Sta6: 'AR-1' },
  'release-rq-pdu': {
    Sta2: 'AA-1',
    Sta3: 'AA-8',
    Sta5: 'AA-8',
    ...established('AA-8'),
    Sta6: 'AR-2',
    Sta7: 'AR-8',
    Sta13: 'AA-6',
  },
  'release-rp-pdu': {
    Sta2: 'AA-1',
    Sta3: 'AA-8',
    Sta5: 'AA-8',
    ...established('AA-8'),
    Sta7: 'AR-3',
    Sta10: 'AR-10',
    Sta11: 'AR-3',
    Sta13: 'AA-6',
  },
  'release-response': { Sta8: 'AR-4', Sta9: 'AR-9', Sta12: 'AR-4' },
  'abort-request': { Sta3: 'AA-1', Sta4: 'AA-2', Sta5: 'AA-1', ...established('AA-1') },
  'abort-pdu': { Sta2: 'AA-2', Sta3: 'AA-3', Sta5: 'AA-3', ...established('AA-3'), Sta13: 'AA-2' },
  'transport-closed': {
    Sta2: 'AA-5',
    Sta3: 'AA-4',
    Sta4: 'AA-4',
    Sta5: 'AA-4',
    ...established('AA-4'),
    Sta13: 'AR-5',
  },
  'artim-expired': { Sta2: 'AA-2', Sta13: 'AA-2' },
  'invalid-pdu': { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AA-8', ...established('AA-8'), Sta13: 'AA-7' },
} as const satisfies Record<Event, Row>;

/**
 * The transition of PS3.8 Table 9-10, or null for a blank cell (a fault of the program or a lost race: the
 * caller aborts as AA-8 does).
 * @param requestor decides a release collision (AR-8); `acceptable` an incoming request (AE-6)
 */
export function transition(
  state: State,
  event: Event,
  requestor: boolean,
  acceptable = true,
): Transition | null {
  const row: Row = TABLE[event];
  const action = row[state];
  if (action === undefined) return null;
  if (action === 'AR-8') return { action, next: requestor ? 'Sta9' : 'Sta10' };
  if (action === 'AE-6') return { action, next: acceptable ? 'Sta3' : 'Sta13' };
  return { action, next: NEXT[action] };
}
