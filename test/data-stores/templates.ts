import type { TemplateSource } from '../../src/config/values.ts'
import type { LookupParts, Template } from '../../src/data-stores/data-store.ts'

/** A template as the machinery makes it, whose values are numbered in the order in which they stand. */
export function templateOf(source: string, firstValue = 0): Template {
  const pieces: Template['pieces'][number][] = []
  let value = firstValue
  for (const match of source.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[^{}]+/g)) {
    const offset = match.index
    if (match[1] !== undefined) pieces.push({ value: value++, source: match[1], offset })
    else pieces.push({ text: match[0].replace(/^(\{\{|\}\})$/, brace => brace.charAt(0)), offset })
  }
  return { source, pieces }
}

/** What a store is given to prepare a lookup, and what it has reported. */
export function lookupParts(
  attributes: readonly string[],
  others: Partial<Pick<LookupParts, 'atMost' | 'timeout'>> = {},
): LookupParts & { readonly problems: string[] } {
  const problems: string[] = []
  let values = 0
  return {
    ...{ attributes, atMost: 2, timeout: 10, ...others, problems },
    template(source: TemplateSource) {
      const template = templateOf(source.source, values)
      values += template.pieces.filter(piece => 'value' in piece).length
      return template
    },
    problem: (path, message, offset) => void problems.push(`${path.join('.')}${offset === undefined ? '' : `:${offset}`} ${message}`),
    warn: (code, path) => void problems.push(`${code} ${path.join('.')}`),
  }
}
