/** C0 controls and DEL. */
export const CONTROL_CHARACTERS = /\p{Cc}/u;
