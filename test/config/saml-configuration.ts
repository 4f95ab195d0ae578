import { createPublicKey } from 'node:crypto'
import { certifiedKey } from '../support/certificates.ts'
import { replaced, wholeConfiguration } from './configuration.ts'

/** The whole configuration with SAML both ways in it, without problems and warnings. */
export async function samlConfiguration(): Promise<Record<string, string>> {
  const whole = await wholeConfiguration()
  const rsa = certifiedKey('RS256', 'saml')
  const ec = certifiedKey('ES256', 'holder')
  const old = certifiedKey('RS256', 'old', 1)
  return {
    ...whole,
    'policies/token-processors/partner-saml.json': `{
  "type": "saml2",
  "issuers": [
    { "entityId": "https://idp.partner.example", "certificates": [{ "file": "secrets/partner.crt" }] }
  ],
  "audiences": ["https://sts.example.com/saml"],
  "recipients": ["https://sts.example.com/acs"],
  "acceptResponse": true,
  "algorithms": ["RS256", "ES256"],
  "decryptionKeys": ["decrypting"],
  "maxSize": "32KB",
  "claims": { "type": "object", "properties": { "email": { "type": "string" } } }
}`,
    'policies/token-processors/partner-saml11.json': `{
  "type": "saml11",
  "issuers": [{ "entityId": "https://idp.partner.example", "metadata": "https://idp.partner.example/metadata" }],
  "attributeNames": "namespace/name"
}`,
    'policies/token-generators/ledger.json': `{
  "type": "saml2",
  "issuer": "https://sts.example.com/saml",
  "audience": "https://ledger.example.com",
  "signingKey": "saml",
  "signatureAlgorithm": "RS256",
  "keyInfo": "certificate",
  "notBefore": "30s",
  "lifetime": "5m",
  "oneTimeUse": false,
  "authnStatement": "when-known",
  "subject": { "confirmation": "bearer", "recipient": "https://ledger.example.com/acs", "lifetime": "2m" },
  "encryption": { "certificate": { "file": "secrets/saml.crt" }, "contentEncryption": "A256GCM" },
  "contract": {
    "SAML_SUBJECT": { "type": "string" },
    "groups": { "type": "array", "items": { "type": "string" }, "saml": { "friendlyName": "groups" } }
  }
}`,
    'policies/token-generators/ledger11.json': `{
  "type": "saml11",
  "issuer": "https://sts.example.com/saml",
  "audience": "https://ledger.example.com",
  "signingKey": "saml",
  "lifetime": "5m",
  "contract": {
    "SAML_SUBJECT": { "type": "string" },
    "email": { "type": "string", "saml": { "namespace": "urn:example" } }
  }
}`,
    'policies/token-generators/foreign.json': `{
  "type": "jwt",
  "audience": ["https://foreign.example"],
  "signingKey": "api",
  "lifetime": "5m",
  "contract": { "sub": { "type": "string" } }
}`,
    'policies/generator-groups/ledger.json': `{
  "resources": ["https://ledger.example.com/in/"],
  "audiences": ["ledger"],
  "generators": {
    "urn:ietf:params:oauth:token-type:saml2": "ledger",
    "urn:ietf:params:oauth:token-type:saml1": "ledger11",
    "urn:ietf:params:oauth:token-type:jwt": "foreign"
  },
  "default": "urn:ietf:params:oauth:token-type:saml2"
}`,
    'policies/processor-policies/people.json': replaced(
      whole['policies/processor-policies/people.json'] ?? '',
      `    {
      "accessTokenManager": "billing",`,
      `    {
      "tokenGenerator": "ledger",
      "attributes": { "SAML_SUBJECT": "policy.email", "groups": "policy.groups" },
      "criteria": [{ "require": "act == null", "otherwise": "nobody acts there" }]
    },
    {
      "tokenGenerator": "ledger11",
      "attributes": { "SAML_SUBJECT": "policy.subject", "email": "policy.email" }
    },
    {
      "tokenGenerator": "foreign",
      "attributes": { "sub": "policy.subject" }
    },
    {
      "accessTokenManager": "billing",`,
    ),
    'clients/saml.json': `{
  "authentication": { "method": "client_secret_basic", "secrets": [{ "file": "secrets/basic" }] },
  "tokenExchange": {
    "enabled": true,
    "processorPolicy": "people",
    "generatorGroups": ["ledger"],
    "default": { "generatorGroup": "ledger" }
  }
}`,
    'server.json': replaced(
      whole['server.json'] ?? '',
      '"accessTokenManager": "api" }',
      '"accessTokenManager": "api",\n    "generatorGroup": "ledger" }',
    ),
    'keys/saml.json': `{
  "algorithm": "RS256",
  "status": "active",
  "privateKey": { "file": "secrets/saml.pem" },
  "certificate": { "file": "secrets/saml.crt" }
}`,
    'keys/decrypting.json': `{
  "algorithm": "RSA-OAEP-256",
  "status": "active",
  "privateKey": { "file": "secrets/decrypting.pem" }
}`,
    'secrets/decrypting.pem': certifiedKey('RS256').privateKeyPem,
    'secrets/saml.pem': rsa.privateKeyPem,
    'secrets/saml.crt': rsa.certificatePem,
    'secrets/partner.crt': certifiedKey('RS256', 'partner').certificatePem,
    'secrets/holder.crt': ec.certificatePem,
    'secrets/old.crt': old.certificatePem,
    'secrets/bare.pem': createPublicKey(rsa.privateKey).export({ type: 'spki', format: 'pem' }).toString(),
  }
}
