/** Where the assembly of this run is: apart from what makes it, which takes long to load. */
const VARIABLE = 'K3S_HA_TEST_ASSEMBLY';

/** The directory of the assembly that was prepared for this run. */
export function assembly(): string {
  const path = process.env[VARIABLE];
  if (path === undefined) throw new Error('no assembly was prepared: jest.config.js says which tests get one');
  return path;
}

/** For this process and those that it starts. */
export function setAssembly(path: string): void {
  process.env[VARIABLE] = path;
}
