import { assertion20, response20, type SignatureChanges, type Signer, signatureFor, signed, subject, unsigned } from '../saml/forge.ts'

/** SHA-256 of nothing. */
export const emptyDigest = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
/** The same about somebody else. */
export const toAdmin = (xml: string) => xml.replace('alice', 'admin')
/** A Response that is not signed. */
export const respond = (inside: string) => unsigned(response20(inside))

/** A forged document, and what its refusal says. */
export type Vector = readonly [document: string | Buffer, why: RegExp]

/** What a partner has signed, and what an attacker makes of it. */
export function materialOf(signer: Signer) {
  const original = assertion20({ id: '_original' })
  const signature = signatureFor(original, signer)
  const evil = assertion20({ id: '_evil', subject: subject('admin') })
  return {
    ...{ original, signature, evil },
    good: original.before + signature + original.after,
    /** The original as the administrator's, under the original's id. */
    sameId: { ...original, after: toAdmin(original.after) },
    with: (changes: SignatureChanges) => signed(original, signer, changes),
  }
}
