import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { check } from '../../src/commands/check.ts'
import type { Command } from '../../src/commands/command.ts'
import { hashSecretCommand } from '../../src/commands/hash-secret.ts'
import { keys } from '../../src/commands/keys.ts'
import { serve } from '../../src/commands/serve.ts'
import { token } from '../../src/commands/token.ts'
import { usage } from '../../src/commands/usage.ts'
import { UsageError } from '../../src/usage-error.ts'
import { cambist, patience } from './run.ts'

const commands: readonly Command[] = [serve, check, usage, keys, hashSecretCommand, token]

describe('the command line', function () {
  this.timeout(patience)

  for (const args of [['--help'], []]) {
    it(`cambist ${args.join(' ')} lists the commands`, async () => {
      const { code, output } = await cambist(args)
      expect(code).to.equal(0)
      for (const { name } of commands) expect(output).to.match(new RegExp(`^  cambist ${name}\\b.* {2}\\S`, 'm'))
    })
  }

  it('cambist COMMAND --help tells how it is called and what it does', async () => {
    const { code, output } = await cambist(['check', '--config', 'x', '--help'])
    expect({ code, output }).to.deep.equal({ code: 0, output: `cambist ${check.usage}\n\n${check.help}\n` })
    for (const { name, usage, summary, help } of commands) {
      expect(usage, name).to.match(new RegExp(`^${name}\\b`))
      expect(summary.length, name).to.be.lessThan(90)
      expect(help.split(/[ \n]/).length, name).to.be.greaterThan(10)
    }
  })

  it('--version says which one this is', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    expect(await cambist(['--version'])).to.deep.equal({ code: 0, output: `${version}\n`, complaints: '' })
  })

  it('an unknown command is answered with those that there are', async () => {
    const { code, output, complaints } = await cambist(['chek'])
    expect({ code, output }).to.deep.equal({ code: 2, output: '' })
    expect(complaints).to.match(/^there is no command "chek"; did you mean "check"\?\n/)
    expect(complaints).to.include('cambist check')
  })

  it('a mistake in the arguments is answered with the usage', async () => {
    expect(await cambist(['check', '--confg', '.'])).to.deep.equal({
      code: 2,
      output: '',
      complaints: `there is no option --confg; did you mean "--config"?\n\nusage: cambist ${check.usage}\n`,
    })
  })

  const mistakes: Array<[command: Command, args: string[], message: RegExp]> = [
    [check, ['--config'], /argument missing/],
    [check, ['policies'], /^there is an argument too many$/],
    [serve, ['-x'], /^there is no option -x$/],
    [serve, ['--workers=2'], /^there is no option --workers$/],
    [hashSecretCommand, ['hunter2'], /^there is an argument too many$/],
    [keys, [], /^say what to do: keys generate ID, or keys rotate ID$/],
    [keys, ['list'], /^say what to do: keys generate ID, or keys rotate ID$/],
    [keys, ['generate', 'a', 'b'], /^there is an argument too many$/],
    [keys, ['generate', '../api'], /^an id has letters, digits and . _ - only/],
    [keys, ['generate', '.api'], /no dot first/],
    [keys, ['generate', 'api', '--algorithm', 'ES265'], /^there is no algorithm "ES265"; did you mean "ES256"\?/],
    [keys, ['generate', 'api', '--algorithm', 'nonsense'], /^there is no algorithm "nonsense"; there are ES256, /],
    [keys, ['generate', 'api', '--status', 'aktive'], /^--status is next, active or retired$/],
    [keys, ['generate', 'api', '--algorithm', 'RS256', '--bits', '1024'], /^--bits is 2048, 3072 or 4096$/],
    [keys, ['generate', 'api', '--bits', '4096'], /^--bits is for RSA keys; those for ES256 have one size$/],
    [keys, ['generate', 'api', '--algorithm', 'Ed25519', '--certificate'], /^a certificate is made for RSA and ES keys, not for Ed25519$/],
    [token, ['--seconds', 'ten'], /^--seconds takes a whole number/],
    [token, ['--type', 'saml'], /^--type is jwt, saml2, saml1 or aws-saml$/],
    [usage, [], /^say what is looked for: usage NAME, or usage --unused$/],
    [usage, ['people', '--unused'], /^say what is looked for/],
    [usage, ['people', 'agents'], /^there is an argument too many$/],
  ]
  for (const [command, args, message] of mistakes) {
    it(`cambist ${command.name} ${args.join(' ')} is a mistake`, async () => {
      const error = await command.run(args).catch((thrown: unknown) => thrown)
      expect(error).to.be.instanceOf(UsageError)
      expect((error as UsageError).message).to.match(message)
      expect((error as UsageError).message).not.to.include('hunter2')
    })
  }
})
