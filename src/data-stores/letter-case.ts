// The signs of kelvin, ohm and angstrom, a dotted capital i and a capital theta: in lower case these are other letters' lower case, too.
const alsoOthers = '\u0130\u03f4\u2126\u212a\u212b'

const usual = new RegExp(`[^${alsoOthers}]+`, 'gu')
const odd = new RegExp(`[${alsoOthers}]`, 'u')

/** The text in lower case, without becoming what another letter becomes: `marK` with the sign of kelvin is not `mark`. */
export function lowered(text: string): string {
  return text.replace(usual, part => part.toLowerCase())
}

/** Whether a database that compares this text in lower case takes it for another one. */
export function looksLikeAnotherLowered(text: string): boolean {
  return odd.test(text)
}
