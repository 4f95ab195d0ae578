import { hours, type Preset, texts } from './preset.ts'

/** The ID token of a GitHub Actions job, of github.com, GHE.com or an Enterprise Server. All claims are strings, even the truth values. */
export const githubActions: Preset = {
  issuer: 'https://token.actions.githubusercontent.com',
  issuerForm:
    /^https:\/\/(token\.actions\.githubusercontent\.com(\/[A-Za-z0-9-]+)?|token\.actions\.[a-z0-9-]+\.ghe\.com|[a-z0-9.:-]+\/_services\/token)$/,
  issuerHint: '"https://token.actions.githubusercontent.com", with the name of an enterprise behind it, or "https://HOST/_services/token"',
  open: true,
  algorithms: ['RS256'],
  types: ['jwt'],
  requiredClaims: [
    'iat',
    'nbf',
    'jti',
    'repository',
    'repository_id',
    'repository_owner',
    'repository_owner_id',
    'ref',
    'sha',
    'workflow',
    'run_id',
    'event_name',
  ],
  maxLifetime: 6 * hours,
  claims: {
    type: 'object',
    required: ['repository', 'repository_id', 'repository_owner', 'repository_owner_id', 'ref', 'sha', 'workflow', 'run_id', 'event_name'],
    properties: {
      ...texts('repository', 'repository_id', 'repository_owner', 'repository_owner_id', 'repository_visibility', 'actor', 'actor_id'),
      ...texts('ref', 'ref_type', 'ref_protected', 'base_ref', 'head_ref', 'sha', 'environment', 'event_name'),
      ...texts('workflow', 'workflow_ref', 'workflow_sha', 'job_workflow_ref', 'job_workflow_sha', 'runner_environment'),
      ...texts('run_id', 'run_number', 'run_attempt', 'enterprise', 'enterprise_id'),
    },
  },
}
