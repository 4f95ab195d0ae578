import { fileOf } from '../config/folders.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'

/** An IdP connection as `cambist check` lists it. */
export interface ListedConnection {
  readonly file: string
  readonly entityId: string
  readonly processing: IdpConnection['processing']
  readonly virtualServerIds: readonly string[]
  readonly generators: readonly ListedMapping[]
}

/** A mapping to a token generator, and the virtual servers that may use it. */
export interface ListedMapping {
  readonly member: string
  readonly tokenGenerator: string
  readonly default: boolean
  readonly appliesTo: readonly string[]
  readonly virtualServerIds: readonly string[]
}

/** What each connection issues, and by which virtual servers. */
export function listedConnections(connections: Iterable<IdpConnection>): readonly ListedConnection[] {
  return [...connections].map(({ id, entityId, processing, virtualServerIds, generators }) => ({
    ...{ file: fileOf('idp-connections', id), entityId, processing, virtualServerIds },
    generators: generators.map(({ name, maker, isDefault, appliesTo, virtualServerIds: allowed }) => ({
      ...{ member: name, tokenGenerator: maker.id, default: isDefault, appliesTo, virtualServerIds: allowed },
    })),
  }))
}

/** The same for a person, in lines. */
export function linesOfConnection({ file, entityId, processing, virtualServerIds, generators }: ListedConnection): string[] {
  const first = `${file}: ${processing} for ${entityId}`
  if (generators.length === 0) return [`${first}, at ${virtualServerIds.join(' and ')}`]
  return [first, ...generators.map(mapping => `  ${lineOf(mapping)}`)]
}

function lineOf({ member, tokenGenerator, default: isDefault, appliesTo, virtualServerIds }: ListedMapping): string {
  const purpose = [...(isDefault ? ['the default'] : []), ...(appliesTo.length > 0 ? [`for ${appliesTo.join(' and ')}`] : [])]
  return `${member} ${tokenGenerator}${purpose.length > 0 ? ` (${purpose.join(', ')})` : ''}, at ${virtualServerIds.join(' and ')}`
}
