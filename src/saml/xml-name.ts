/** Which characters a name may have, and which it may start with: 2 and 1. Names of SAML and of XML Signature are ASCII. */
const kinds = new Uint8Array(128)
for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_') kinds[letter.charCodeAt(0)] = 1
for (const other of '0123456789.-') kinds[other.charCodeAt(0)] = 2

const colon = 0x3a

/** A name with or without a prefix (Namespaces in XML 1.0 §4), and where it stands in a text. */
export interface NamePlace {
  /** Where the colon is; -1 where there is none. */
  colon: number
  /** Behind the name. */
  end: number
}

/** Finds the name that begins here. False where none does. */
export function findName(text: string, start: number, place: NamePlace): boolean {
  const end = endOfPart(text, start)
  place.colon = -1
  place.end = end
  if (end === start) return false
  if (text.charCodeAt(end) !== colon) return true
  place.colon = end
  place.end = endOfPart(text, end + 1)
  return place.end > end + 1
}

// One part of a name ends where it began when it does not begin as names do.
function endOfPart(text: string, start: number): number {
  if (kinds[text.charCodeAt(start)] !== 1) return start
  let at = start + 1
  while (kinds[text.charCodeAt(at)]) at++
  return at
}
