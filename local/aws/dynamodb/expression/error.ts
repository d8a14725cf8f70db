/** A faulty expression. The caller adds which parameter it was in: `Invalid UpdateExpression: …`. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}
