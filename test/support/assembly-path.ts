/** Where the assembly of this run is: apart from what makes it, which takes long to load. */
const VARIABLE = 'K3S_HA_TEST_ASSEMBLY';

/** The directory of the assembly that was prepared for this run. */
export function assembly(): string {
  const path = process.env[VARIABLE];
  if (path === undefined) throw new Error('no assembly was prepared: such tests live in test/e2e or test/simulation');
  return path;
}

/** For this process and those that it starts. */
export function setAssembly(path: string): void {
  process.env[VARIABLE] = path;
}
