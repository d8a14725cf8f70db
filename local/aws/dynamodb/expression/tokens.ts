/** Splits an expression into tokens and reports syntax errors as DynamoDB does: the token and its neighbours. */
import { ExpressionError } from './error';

export interface Token {
  kind: 'word' | 'name' | 'value' | 'number' | 'symbol' | 'end';
  text: string;
  start: number;
  end: number;
}

const PATTERN =
  /\s*(?:(?<word>[A-Za-z][A-Za-z0-9_]*)|(?<name>#[A-Za-z0-9_]+)|(?<value>:[A-Za-z0-9_]+)|(?<number>[0-9]+)|(?<symbol><>|<=|>=|[=<>()[\],.+-]))/y;

export class Tokens {
  private readonly tokens: Token[] = [];
  private position = 0;

  constructor(private readonly source: string) {
    if (source.trim() === '') throw new ExpressionError('The expression can not be empty;');
    let at = 0;
    while (source.slice(at).trim() !== '') {
      PATTERN.lastIndex = at;
      const groups = PATTERN.exec(source)?.groups;
      if (!groups) {
        const start = at + source.slice(at).search(/\S/);
        this.tokens.push({ kind: 'symbol', text: source[start]!, start, end: start + 1 });
        this.position = this.tokens.length - 1;
        throw this.syntaxError();
      }
      const end = PATTERN.lastIndex;
      const [kind, text] = Object.entries(groups).find(([, match]) => match !== undefined)!;
      this.tokens.push({ kind: kindOf(kind), text: text!, start: end - text!.length, end });
      at = end;
    }
    this.tokens.push({ kind: 'end', text: '<EOF>', start: source.length, end: source.length });
  }

  /** Position of the next token. */
  get index(): number {
    return this.position;
  }

  get next(): Token {
    return this.tokens[Math.min(this.position, this.tokens.length - 1)]!;
  }

  /** The token after the next one. */
  get following(): Token | undefined {
    return this.tokens[this.position + 1];
  }

  advance(): Token {
    const token = this.next;
    this.position++;
    return token;
  }

  isSymbol(text: string): boolean {
    return this.next.kind === 'symbol' && this.next.text === text;
  }

  /** Keywords have no case. */
  isKeyword(word: string): boolean {
    return this.next.kind === 'word' && this.next.text.toUpperCase() === word;
  }

  takeSymbol(text: string): boolean {
    const found = this.isSymbol(text);
    if (found) this.position++;
    return found;
  }

  takeKeyword(word: string): boolean {
    const found = this.isKeyword(word);
    if (found) this.position++;
    return found;
  }

  expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) throw this.syntaxError();
  }

  syntaxError(): ExpressionError {
    const { text } = this.next;
    const first = this.tokens[this.position - 1] ?? this.next;
    const last = this.tokens[this.position + 1] ?? this.next;
    return new ExpressionError(`Syntax error; token: "${text}", near: "${this.source.slice(first.start, last.end)}"`);
  }
}

function kindOf(group: string): Token['kind'] {
  switch (group) {
    case 'word':
    case 'name':
    case 'value':
    case 'number':
      return group;
    default:
      return 'symbol';
  }
}
