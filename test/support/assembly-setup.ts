import { prepareAssembly } from './assembly';

/** Jest calls it once before the first end-to-end test. */
export default prepareAssembly;
