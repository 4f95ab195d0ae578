import { describePlace, type Path, placeOf } from './problems.ts'
import type { SourceFile } from './read.ts'

/** Turns the name of a setting (`clients/orders.json scopes`) into a place that an editor can open, where its file is known. */
export function settingPlace(setting: string, files: readonly SourceFile[]): string {
  const space = setting.indexOf(' ')
  const [file, member] = space < 0 ? [setting, ''] : [setting.slice(0, space), setting.slice(space + 1)]
  const source = files.find(candidate => candidate.file === file)
  return source === undefined ? setting : describePlace({ ...placeOf(file, source.text, pathOf(member)), member })
}

/** The way to a member, from its name as `memberName` writes it. */
function pathOf(member: string): Path {
  return [...member.matchAll(/\["([^"]*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, plain]) =>
    index === undefined ? (quoted ?? plain ?? '') : Number(index),
  )
}
