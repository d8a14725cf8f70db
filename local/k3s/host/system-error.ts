/** The code of an error of this computer (`ENOENT`), whatever realm its class is of. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
