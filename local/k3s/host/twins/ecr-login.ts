import type { Twin } from './shell';

/** The credential provider that user data writes: `script` says the registry and the region. */
export function ecrLogin(script: string, region: string): Twin {
  const registry = /"auth":\{"([^"]+)"/.exec(script)?.[1] ?? '';
  return async (shell) => {
    const password = (await shell.must('aws', 'ecr', 'get-login-password', '--region', region)).trimEnd();
    return JSON.stringify({
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      kind: 'CredentialProviderResponse',
      cacheKeyType: 'Registry',
      cacheDuration: '6h0m0s',
      auth: { [registry]: { username: 'AWS', password } },
    });
  };
}
