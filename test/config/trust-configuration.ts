import { samlConfiguration } from './saml-configuration.ts'

/** The whole configuration with SAML and WS-Trust in it, without problems and warnings. */
export async function trustConfiguration(): Promise<Record<string, string>> {
  return {
    ...(await samlConfiguration()),
    'policies/token-processors/users.json': `{
  "type": "username",
  "issuer": "urn:users",
  "users": {
    "alice": {
      "passwords": [{ "hash": "sha256$47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU" }],
      "attributes": { "email": "alice@example.com" }
    }
  }
}`,
    'policies/idp-connections/partner.json': `{
  "entityId": "https://idp.partner.example",
  "virtualServerIds": ["https://sts.example.com", "https://sts-eu.example.com"],
  "tokenProcessor": "partner-saml",
  "actorTokenProcessor": "agents",
  "processing": "validate-and-issue",
  "contract": { "TOKEN_SUBJECT": { "type": "string" } },
  "attributes": { "TOKEN_SUBJECT": "assertion.nameId.value" },
  "criteria": [{ "require": "assertion.nameId.value != ''", "otherwise": "nobody" }],
  "generators": [
    {
      "tokenGenerator": "ledger",
      "default": true,
      "appliesTo": ["https://ledger.example.com/ws"],
      "attributes": { "SAML_SUBJECT": "policy.TOKEN_SUBJECT", "groups": "[context.virtualServerId]" }
    },
    {
      "tokenGenerator": "ledger11",
      "virtualServerIds": ["https://sts-eu.example.com"],
      "attributes": { "SAML_SUBJECT": "policy.TOKEN_SUBJECT", "email": "'a@b.example'" },
      "criteria": [{ "require": "act == null", "otherwise": "nobody acts there" }]
    }
  ]
}`,
    'clients/caller.json': `{
  "authentication": { "method": "client_secret_basic", "secrets": [{ "file": "secrets/basic" }] },
  "wsTrust": {
    "enabled": true,
    "connections": ["partner"]
  }
}`,
  }
}
