import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pino } from 'pino'
import { readChain } from '../certificates/pem.ts'
import type { PresentedChain } from '../certificates/trust-anchors.ts'
import { buildConfiguration, type Parsed, parseConfiguration } from '../config/load.ts'
import { ConfigError, describe } from '../config/problems.ts'
import { readSources } from '../config/read.ts'
import { settingPlace } from '../config/setting-place.ts'
import { everything } from '../explain/disclosure.ts'
import { Explainer } from '../explain/explainer.ts'
import type { Explanation } from '../explain/explanation.ts'
import { HarmlessStore } from '../explain/harmless-store.ts'
import { printExplanation } from '../explain/print.ts'
import { type DescribedRequest, tokenTypeNamed } from '../explain/request.ts'
import { Kept } from '../kept.ts'
import { memoryStore } from '../stores/memory.ts'
import { openStore } from '../stores/open-store.ts'
import type { Store } from '../stores/store.ts'
import { terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { outsideToExplain, systemTime } from '../world.ts'
import { type Command, configOption, readOptions } from './command.ts'

const options = {
  ...configOption,
  client: { type: 'string' },
  form: { type: 'string' },
  'subject-token': { type: 'string' },
  'subject-token-type': { type: 'string' },
  'actor-token': { type: 'string' },
  'actor-token-type': { type: 'string' },
  resource: { type: 'string', multiple: true },
  audience: { type: 'string', multiple: true },
  scope: { type: 'string' },
  'requested-token-type': { type: 'string' },
  message: { type: 'string' },
  connection: { type: 'string' },
  'virtual-server': { type: 'string' },
  'client-ip': { type: 'string', default: '127.0.0.1' },
  dpop: { type: 'string' },
  certificate: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** `cambist explain`: what the server would do with a request, step by step. */
export const explain: Command = {
  name: 'explain',
  usage:
    'explain --client ID --subject-token FILE --subject-token-type TYPE [--resource URI] … | --form FILE | --message FILE [--json] [--config DIR]',
  summary: 'explain step by step what becomes of a request',
  help: [
    'Takes a request as a client would send it, runs it through the pipeline of the server, and tells what each step came to:',
    'which policy, mapping and target were chosen and why others were not, what the tokens prove, every expression with its',
    'value, every criterion, and the token that would be issued, or the refusal with the setting that caused it. Nothing is',
    'issued, used up or counted. It shows all that the tokens say: mind who looks on.',
    '',
    '  --client ID              the client, taken at its word',
    '  --form FILE              the body of a request instead; without --client its credentials are checked',
    '  --subject-token FILE, --actor-token FILE           "-" reads standard input',
    '  --subject-token-type TYPE, --actor-token-type TYPE, --requested-token-type TYPE',
    '                           jwt, access_token, saml2, saml1 or any other type in full',
    '  --resource URI, --audience NAME                    each may be repeated',
    '  --scope TEXT, --client-ip ADDRESS',
    '  --dpop FILE              the DPoP proof of the request; it is checked, and can be used afterwards',
    '  --certificate FILE       the certificate of the client (PEM, its authorities after it), as if the connection had proved its key',
    '  --message FILE           a WS-Trust message (a SOAP envelope) instead; without --client its UsernameToken is',
    '                           checked, or the certificate',
    '  --connection ID, --virtual-server ID               where its path would name them',
    '  --json                   for programs',
    '',
    'Exits 0 when a token would be issued (or, by a message, is valid), 1 when not.',
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, options)
    const ask = questionOf(values)
    const folder = resolve(values.config)
    const parsed = await parseConfiguration(await readSources(folder), folder, process.env)
    try {
      return await explainIn(parsed, folder, ask, values.json)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      for (const problem of error.problems) terminal.complain(describe(problem))
      terminal.complain('the configuration has problems; nothing can be explained with it')
      return 1
    }
  },
}

type Values = ReturnType<typeof readOptions<typeof options>>['values']
type Question = (explainer: Explainer) => Promise<Explanation>

function questionOf(values: Values): Question {
  const { message, connection, 'virtual-server': virtualServer, client, 'client-ip': clientIp } = values
  const certificate = chainNamed(values.certificate)
  if (message === undefined) {
    if (connection !== undefined || virtualServer !== undefined)
      throw new UsageError('--connection and --virtual-server go with a WS-Trust message: --message FILE')
    const request = { ...describedBy(values), certificate }
    return explainer => explainer.explain(request, everything)
  }
  const alien = Object.keys(values).find(name => !ofMessages.has(name))
  if (alien !== undefined) throw new UsageError(`--${alien} does not go with --message: the message says it`)
  const [text = ''] = fileNamed(message) ?? []
  return explainer => explainer.explainMessage({ message: text, connection, virtualServer, client, clientIp, certificate }, everything)
}

const ofMessages: ReadonlySet<string> = new Set([
  'config',
  'json',
  'message',
  'connection',
  'virtual-server',
  'client',
  'client-ip',
  'certificate',
])

function describedBy(values: Values): DescribedRequest {
  const { client, form, resource, audience, scope } = values
  if (client === undefined && form === undefined)
    throw new UsageError(
      'say which client asks: --client ID, or --form FILE with the whole body of a request, or --message FILE with a WS-Trust message',
    )
  const parameters = {
    subject_token: fileNamed(values['subject-token']),
    subject_token_type: typeNamed(values['subject-token-type']),
    actor_token: fileNamed(values['actor-token']),
    actor_token_type: typeNamed(values['actor-token-type']),
    requested_token_type: typeNamed(values['requested-token-type']),
    resource,
    audience,
    scope: scope === undefined ? undefined : [scope],
  }
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  return {
    form: fileNamed(form)?.[0] ?? '',
    parameters: Object.fromEntries(given),
    client,
    clientIp: values['client-ip'],
    dpop: fileNamed(values.dpop)?.[0],
  }
}

function chainNamed(name: string | undefined): PresentedChain | undefined {
  const [text] = fileNamed(name) ?? []
  if (text === undefined) return undefined
  const chain = readChain(text)
  if (chain === undefined)
    throw new UsageError(`the file ${name} has no certificate that can be read: it must be PEM, that of the client first`)
  return chain
}

function typeNamed(name: string | undefined): readonly string[] | undefined {
  return name === undefined ? undefined : [tokenTypeNamed(name)]
}

function fileNamed(name: string | undefined): readonly string[] | undefined {
  if (name === undefined) return undefined
  try {
    return [readFileSync(name === '-' ? 0 : name, 'utf8').trim()]
  } catch (error) {
    throw new UsageError(`the file ${name} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

async function explainIn(parsed: Parsed, folder: string, ask: Question, json: boolean): Promise<number> {
  const opened = await openConfigured(parsed, folder)
  const store = new HarmlessStore(opened)
  const kept = new Kept().draft()
  try {
    const { server } = await buildConfiguration(parsed, outsideToExplain(store, pino({ level: 'silent' })), kept)
    const explanation = await ask(new Explainer(server, store))
    const located = (setting: string) => settingPlace(setting, parsed.sources.files)
    terminal.print(json ? JSON.stringify(explanation, undefined, 2) : printExplanation(explanation, located))
    return ['issued', 'validated'].includes(explanation.outcome) ? 0 : 1
  } finally {
    await kept.discard()
    await opened.close()
  }
}

/** The store of the server, to be read; where it has never kept anything, an empty one. */
async function openConfigured({ settings, texts, problems }: Parsed, folder: string): Promise<Store> {
  const store = settings?.store
  const isUnused = store?.type === 'embedded' && !existsSync(resolve(folder, store.path))
  if (store === undefined || problems.length > 0 || isUnused) return memoryStore(systemTime)
  const log = pino({ level: 'silent' })
  return await openStore(store, { text: external => texts.get(external) ?? '', now: systemTime, log, baseFolder: folder })
}
