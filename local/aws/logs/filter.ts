/**
 * Filter patterns of words: every word must occur, `-word` must not, `?word` at least one of them must. Source:
 * CloudWatch Logs User Guide, "Filter pattern syntax for metric filters, subscription filters, filter log events".
 */
import { AwsError } from '../service';

/** @throws AwsError InvalidParameterException for JSON and space-delimited patterns, which are not modelled. */
export function compileFilter(pattern: string): (message: string) => boolean {
  const trimmed = pattern.trim();
  if (/^[{[%]/.test(trimmed))
    throw new AwsError('InvalidParameterException', `Invalid filter pattern: only words are modelled, not ${trimmed}`);
  const words = [...trimmed.matchAll(/(?<sign>[-?]?)(?:"(?<quoted>[^"]*)"|(?<plain>\S+))/g)].map(({ groups }) => ({
    sign: groups?.sign,
    word: groups?.quoted ?? groups?.plain ?? '',
  }));
  const of = (sign: string) => words.filter((word) => word.sign === sign).map(({ word }) => word);
  const [all, none, any] = [of(''), of('-'), of('?')];
  return (message) =>
    all.every((word) => message.includes(word)) &&
    !none.some((word) => message.includes(word)) &&
    (any.length === 0 || any.some((word) => message.includes(word)));
}
