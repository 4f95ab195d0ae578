// RFC 4518 §2.2 and §2.6: characters that a directory leaves out, and all spaces but the usual one. U+034F and those after it are no
// "format" characters, and left out as well.
const leftOut = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\ufffc]|\p{Variation_Selector}|\u034f|(?! )\p{Z}/u
const insignificantSpace = /^ | $| {2}/
const halfOfPair = /\p{Cs}/u

/**
 * Whether a directory takes this value for nothing but itself. By RFC 4518 it holds values against each other after it has put them into
 * another form: a full-width `ａｌｉｃｅ`, `alice` with a zero-width space and `alice ` would all find alice. Whoever has chosen such a
 * name wants to be taken for somebody else. Upper and lower case stay the same for most attributes.
 */
export function isTakenForItself(value: string): boolean {
  if (halfOfPair.test(value) || leftOut.test(value) || insignificantSpace.test(value)) return false
  return value === value.normalize('NFKC') || value === value.normalize('NFKD')
}

/** Whether this can be sent at all: a lone half of a surrogate pair would arrive as another character. */
export function isSendable(value: string): boolean {
  return value !== '' && !halfOfPair.test(value)
}
