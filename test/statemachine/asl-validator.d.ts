/** The part of the package that the tests use; it has no types of its own. */
declare module 'asl-validator' {
  export default function validate(definition: unknown): { isValid: boolean; errors: unknown[] };
}
