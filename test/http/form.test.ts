import { once } from 'node:events'
import { createServer, type IncomingMessage, request as open, type RequestOptions, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { decodeFormText, type Form, type FormLimits, parseForm, readForm } from '../../src/http/form.ts'
import { OAuthError } from '../../src/oauth/errors.ts'

const form = 'application/x-www-form-urlencoded'

function refusal(act: () => unknown): OAuthError {
  try {
    act()
  } catch (error) {
    if (error instanceof OAuthError) return error
    throw error
  }
  throw new Error('was not refused')
}

describe('http/form', () => {
  describe('parsing', () => {
    it('reads names and values as URLSearchParams does where they are well-formed', () => {
      const name = fc.string({ unit: 'binary', minLength: 1 }).filter(text => text !== 'resource' && text !== 'audience')
      const pairs = fc.uniqueArray(fc.tuple(name, fc.string({ unit: 'binary' })), { selector: ([key]) => key, maxLength: 30 })
      fc.assert(
        fc.property(pairs, entries => {
          const body = new URLSearchParams(entries).toString()
          const parsed = parseForm(body)
          for (const [key, value] of new URLSearchParams(body)) expect(parsed.get(key) ?? '').to.equal(value)
        }),
      )
    })

    it('refuses or parses any text, and never fails otherwise', () => {
      const hostile = fc.string({ unit: fc.constantFrom('a', 'b', '=', '&', '%', '+', '0', 'F', 'é', '\u0000', ';', '"') })
      fc.assert(
        fc.property(hostile, body => {
          try {
            parseForm(body)
          } catch (error) {
            expect(error).to.be.instanceOf(OAuthError)
          }
        }),
      )
    })

    it('takes unencoded UTF-8, a plus as a space, and an equals sign inside a value', () => {
      const parsed = parseForm('name=Gr%C3%BC%C3%9Fe+an&b=ä&token=a=b==')
      expect(parsed.get('name')).to.equal('Grüße an')
      expect(parsed.get('b')).to.equal('ä')
      expect(parsed.get('token')).to.equal('a=b==')
    })

    it('treats a parameter without a value as not sent', () => {
      const parsed = parseForm('scope=&audience=&actor_token&&resource=https%3A%2F%2Fa')
      expect(parsed.get('scope')).to.equal(undefined)
      expect(parsed.get('actor_token')).to.equal(undefined)
      expect(parsed.all('audience')).to.deep.equal([])
      expect(parsed.names()).to.deep.equal(['resource'])
    })

    it('keeps every resource and audience in order', () => {
      const parsed = parseForm('resource=b&audience=x&resource=a&resource=b')
      expect(parsed.all('resource')).to.deep.equal(['b', 'a', 'b'])
      expect(parsed.all('audience')).to.deep.equal(['x'])
    })

    for (const body of [
      'scope=a&scope=b',
      'scope=a&scope=a',
      'scope=a&scope=',
      'scope=&scope=a',
      'scope&scope',
      'scope=a&sc%6Fpe=b',
      'other=1&other=2',
    ]) {
      it(`refuses a repeated parameter: ${body}`, () => {
        const { reason, message } = refusal(() => parseForm(body))
        expect(reason).to.equal('malformed-request')
        expect(message).to.match(/^the parameter (scope|other) is repeated$/)
      })
    }

    it('names a repeated parameter in the characters of RFC 6749 section 5.2 only, and shortly', () => {
      const { message } = refusal(() => parseForm('%22%5C%00%C3%BC%0Ax=1&%22%5C%00%C3%BC%0Ax=2'))
      expect(message).to.equal('the parameter ?????x is repeated')
      const token = `ey${'J'.repeat(500)}`
      expect(refusal(() => parseForm(`${token}&${token}`)).message.length).to.be.lessThan(80)
    })

    for (const body of ['a=%', 'a=%4', 'a=%zz', 'a=%C3', 'a=%C0%80', 'a=%ED%A0%80', 'a=%FF', '%=a', 'a=%u0041']) {
      it(`refuses malformed encoding: ${body}`, () => {
        expect(refusal(() => parseForm(body)).reason).to.equal('malformed-request')
      })
    }

    it('is not fooled by names that objects have', () => {
      const parsed = parseForm('__proto__=a&constructor=b&toString=c')
      expect(parsed.get('__proto__')).to.equal('a')
      expect(parsed.get('constructor')).to.equal('b')
      expect(parsed.get('hasOwnProperty')).to.equal(undefined)
      expect(({} as Record<string, unknown>).a).to.equal(undefined)
    })

    it('bounds the number of parameters, whatever they are', () => {
      const many = Array.from({ length: 101 }, (_, index) => `p${index}=`).join('&')
      expect(refusal(() => parseForm(many)).message).to.equal('the request has too many parameters')
      expect(refusal(() => parseForm('resource=a&'.repeat(101))).reason).to.equal('malformed-request')
      expect(parseForm('&'.repeat(10_000)).names()).to.deep.equal([])
    })

    it('decodes one text', () => {
      expect(decodeFormText('a%2Bb+c')).to.equal('a+b c')
      expect(decodeFormText('%')).to.equal(undefined)
    })
  })

  describe('reading a request', () => {
    let server: Server
    let limits: FormLimits | undefined
    let outcome: Promise<Form | OAuthError>
    let seen: IncomingMessage

    beforeEach(async () => {
      limits = undefined
      let settle: (value: Promise<Form | OAuthError>) => void
      outcome = new Promise(resolve => {
        settle = resolve
      })
      server = createServer((request, response) => {
        seen = request
        const reading = readForm(request, limits).catch((error: OAuthError) => error)
        settle(reading)
        reading.then(result => {
          response.statusCode = result instanceof OAuthError ? 400 : 200
          response.end(result instanceof OAuthError ? result.message : JSON.stringify(result.names()))
        })
      })
      await once(server.listen(0, '127.0.0.1'), 'listening')
    })
    afterEach(() => {
      server.closeAllConnections()
      server.close()
    })

    const port = () => (server.address() as AddressInfo).port

    async function post(body: string | Buffer, headers: Record<string, string> = {}, path = '/token', options: RequestOptions = {}) {
      const sent = open({
        port: port(),
        path,
        method: 'POST',
        headers: { 'content-type': form, 'content-length': Buffer.byteLength(body), ...headers },
        ...options,
      })
      sent.end(body)
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      let text = ''
      for await (const chunk of response) text += chunk
      return { status: response.statusCode, text }
    }

    for (const type of [
      form,
      `${form};charset=UTF-8`,
      `${form}; charset=utf-8`,
      `${form}; charset="utf-8"`,
      'Application/X-WWW-Form-URLencoded ; Charset=UTF8',
      `${form}; boundary=x`,
    ]) {
      it(`takes content-type: ${type}`, async () => {
        expect(await post('a=1', { 'content-type': type })).to.deep.equal({ status: 200, text: '["a"]' })
      })
    }

    for (const type of [
      'application/json',
      'multipart/form-data; boundary=x',
      `${form}; charset=iso-8859-1`,
      `${form}; charset=utf-8; charset=utf-16`,
      `${form}x`,
      '',
      'text/plain',
    ]) {
      it(`refuses content-type: ${type === '' ? '(none)' : type}`, async () => {
        expect((await post('a=1', { 'content-type': type })).status).to.equal(400)
      })
    }

    it('refuses a compressed body and takes identity', async () => {
      expect((await post('a=1', { 'content-encoding': 'gzip' })).status).to.equal(400)
      expect((await post('a=1', { 'content-encoding': 'Identity' })).status).to.equal(200)
    })

    it('refuses parameters in the query string, and takes an empty one', async () => {
      expect((await post('subject_token=x', {}, '/token?subject_token=x')).text).to.match(/query string/)
      expect((await post('a=1', {}, '/token?tenant')).status).to.equal(400)
      expect((await post('a=1', {}, '/token?')).status).to.equal(200)
    })

    it('refuses bytes that are not UTF-8', async () => {
      expect((await post(Buffer.from('a=\xff', 'latin1'))).text).to.equal('the body is not UTF-8')
    })

    it('reads an empty body', async () => {
      expect((await post('')).text).to.equal('[]')
    })

    it('reads a chunked body, cut inside a character', async () => {
      const sent = open({ port: port(), method: 'POST', headers: { 'content-type': form, 'transfer-encoding': 'chunked' } })
      const bytes = Buffer.from('a=ä&b=%C3%A4')
      sent.write(bytes.subarray(0, 3))
      setTimeout(() => sent.end(bytes.subarray(3)), 20)
      const [response] = await once(sent, 'response')
      response.resume()
      const parsed = (await outcome) as Form
      expect([parsed.get('a'), parsed.get('b')]).to.deep.equal(['ä', 'ä'])
    })

    it('reads the body of a client that waits for 100 Continue', async () => {
      const sent = open({ port: port(), method: 'POST', headers: { 'content-type': form, 'content-length': 3, expect: '100-continue' } })
      sent.flushHeaders()
      await once(sent, 'continue')
      sent.end('a=1')
      const [response] = await once(sent, 'response')
      response.resume()
      expect(response.statusCode).to.equal(200)
    })

    it('takes a body of exactly the limit and refuses one byte more, announced or chunked', async () => {
      limits = { bytes: 1000, parameters: 10 }
      expect((await post(`a=${'x'.repeat(998)}`)).status).to.equal(200)
      expect((await post(`a=${'x'.repeat(999)}`)).text).to.equal('the body is larger than 1000 bytes')
      const chunked = open({ port: port(), method: 'POST', headers: { 'content-type': form, 'transfer-encoding': 'chunked' } })
      chunked.end(`a=${'x'.repeat(999)}`)
      const [response] = await once(chunked, 'response')
      response.resume()
      expect(response.statusCode).to.equal(400)
    })

    it('answers a client whose body is too large, and takes the next request on the same connection', async () => {
      limits = { bytes: 1000, parameters: 10 }
      const socket = connect(port(), '127.0.0.1')
      const head = (length: number) => `POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: ${form}\r\nContent-Length: ${length}\r\n\r\n`
      socket.write(`${head(200_000)}${'x'.repeat(200_000)}${head(3)}a=1`)
      let text = ''
      socket.setEncoding('utf8').on('data', chunk => {
        text += chunk
        if (text.includes('["a"]')) socket.end()
      })
      await once(socket, 'close')
      expect(text.match(/HTTP\/1\.1 (\d+)/g)).to.deep.equal(['HTTP/1.1 400', 'HTTP/1.1 200'])
    })

    it('cuts off a client that goes on sending after it was refused', async () => {
      const socket = connect(port(), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(`POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`)
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
      const sending = setInterval(() => socket.write(chunk), 1)
      let text = ''
      socket.setEncoding('utf8').on('data', data => {
        text += data
      })
      await new Promise(resolve => socket.once('close', resolve))
      clearInterval(sending)
      expect(text).to.match(/^HTTP\/1\.1 400/)
    })

    it('settles when the client goes away', async () => {
      const socket = connect(port(), '127.0.0.1')
      socket.write(`POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: ${form}\r\nContent-Length: 100\r\n\r\na=1`)
      await once(server, 'request')
      socket.destroy()
      expect(await outcome)
        .to.be.instanceOf(OAuthError)
        .with.property('message', 'the body ended early')
    })

    it('settles when the client was gone before the reading began', async () => {
      const socket = connect(port(), '127.0.0.1')
      socket.write(`POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: ${form}\r\nContent-Length: 100\r\n\r\na=1`)
      await once(server, 'request')
      socket.destroy()
      await outcome
      const again = await readForm(seen).catch((error: unknown) => error)
      expect(again).to.be.instanceOf(OAuthError)
    })

    it('settles on a broken chunk', async () => {
      const socket = connect(port(), '127.0.0.1')
      socket.on('error', () => undefined).resume()
      socket.write(`POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: ${form}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`)
      expect(await outcome).to.be.instanceOf(OAuthError)
    })
  })
})
