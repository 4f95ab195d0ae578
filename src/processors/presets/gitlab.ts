import { hours, type Preset, textList, texts } from './preset.ts'

/** The ID token of a GitLab CI/CD job (`id_tokens`), of gitlab.com or an instance of one's own. It lives as long as the job may run. */
export const gitlab: Preset = {
  issuer: 'https://gitlab.com',
  issuerForm: /^https:\/\/[a-z0-9.:-]+(\/[A-Za-z0-9._-]+)*$/,
  issuerHint: 'the address of the GitLab instance, such as "https://gitlab.com", without a slash at its end',
  open: true,
  algorithms: ['RS256'],
  types: ['jwt'],
  requiredClaims: [
    'iat',
    'nbf',
    'jti',
    'namespace_id',
    'namespace_path',
    'project_id',
    'project_path',
    'pipeline_id',
    'job_id',
    'ref',
    'ref_type',
    'ref_protected',
  ],
  maxLifetime: 24 * hours,
  claims: {
    type: 'object',
    required: ['namespace_id', 'namespace_path', 'project_id', 'project_path', 'pipeline_id', 'job_id', 'ref', 'ref_type', 'ref_protected'],
    properties: {
      ...texts('namespace_id', 'namespace_path', 'project_id', 'project_path', 'project_visibility', 'user_id', 'user_login', 'user_email'),
      ...texts('user_access_level', 'pipeline_id', 'pipeline_source', 'job_id', 'ref', 'ref_type', 'ref_path', 'ref_protected', 'sha'),
      ...texts('environment', 'environment_protected', 'deployment_tier', 'deployment_action', 'environment_action', 'runner_environment'),
      ...texts('ci_config_ref_uri', 'ci_config_sha', 'job_source'),
      runner_id: { type: 'integer' },
      groups_direct: textList,
      user_identities: { type: 'array', items: { type: 'object', properties: texts('provider', 'extern_uid') } },
    },
  },
}
