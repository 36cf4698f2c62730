import {
  type ComparisonOperator,
  combine,
  compare,
  constant,
  type Expression,
  type FilterSubject,
  filterError,
  inCollection,
  inList,
  negate,
  propertyOf,
  type Value,
} from './filter-expression.ts';
import { callOf } from './filter-functions.ts';
import { type FilterToken, tokensOf } from './filter-tokens.ts';

/** Whether a message is for a connection. */
export type Filter = (subject: FilterSubject) => boolean;

const DEPTH_LIMIT = 100;
const COMPARISONS: ReadonlySet<string> = new Set<ComparisonOperator>(['eq', 'ne', 'gt', 'ge', 'lt', 'le']);
const LITERALS: Readonly<Record<string, Expression>> = {
  true: constant('boolean', true),
  false: constant('boolean', false),
  null: constant('null', null),
};

/**
 * Parses an OData filter (https://learn.microsoft.com/azure/azure-web-pubsub/reference-odata-filter) and checks its types, so that
 * nothing can fail while a message is sent. As in OData, `not` binds tighter than a comparison: `not (a eq b)` needs its parentheses.
 * @throws ApiError 400
 */
export function parseFilter(text: string): Filter {
  const { type, evaluate } = new Parser(tokensOf(text)).whole();
  if (type !== 'boolean') throw filterError(`it is no condition, but a ${type}`);
  return (subject) => evaluate(subject) === true;
}

class Parser {
  readonly #tokens: readonly FilterToken[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly FilterToken[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#or();
    if (this.#next < this.#tokens.length) throw this.#unexpected();
    return expression;
  }

  #or(): Expression {
    this.#depth += 1;
    if (this.#depth > DEPTH_LIMIT) throw filterError('it is nested too deep');
    const operands = [this.#and()];
    while (this.#takeWord('or')) operands.push(this.#and());
    this.#depth -= 1;
    return combine('or', operands);
  }

  #and(): Expression {
    const operands = [this.#comparison()];
    while (this.#takeWord('and')) operands.push(this.#comparison());
    return combine('and', operands);
  }

  #comparison(): Expression {
    let left = this.#unary();
    let count = 0;
    for (;;) {
      const operator = this.#takeComparison();
      if (operator === undefined) return left;
      count += 1;
      if (count > DEPTH_LIMIT) throw filterError('it is nested too deep');
      left = compare(operator, left, this.#unary());
    }
  }

  #unary(): Expression {
    let negations = 0;
    while (this.#takeWord('not')) negations += 1;
    const operand = this.#membership();
    if (negations === 0) return operand;
    const negated = negate(operand);
    return negations % 2 === 1 ? negated : negate(negated);
  }

  #membership(): Expression {
    const item = this.#primary();
    if (!this.#takeWord('in')) return item;
    return this.#takeSign('(') ? inList(item, this.#list()) : inCollection(item, this.#primary());
  }

  #list(): ReadonlySet<Value> {
    const values = new Set<Value>();
    do {
      const token = this.#take();
      if (token?.kind === 'string') values.add(token.text);
      else if (token?.kind === 'integer') values.add(token.value);
      else if (token?.kind === 'word' && token.text === 'null') values.add(null);
      else throw filterError('a list holds strings and numbers');
    } while (this.#takeSign(','));
    this.#mustTakeSign(')');
    return values;
  }

  #primary(): Expression {
    if (this.#takeSign('(')) {
      const inner = this.#or();
      this.#mustTakeSign(')');
      return inner;
    }
    const token = this.#take();
    if (token?.kind === 'string') return constant('string', token.text);
    if (token?.kind === 'integer') return constant('integer', token.value);
    if (token?.kind !== 'word') throw this.#unexpected(1);
    if (this.#takeSign('(')) return callOf(token.text, this.#arguments());
    const literal = Object.hasOwn(LITERALS, token.text) ? LITERALS[token.text] : undefined;
    const found = literal ?? propertyOf(token.text);
    if (!found) throw filterError(`a connection has no property ${token.text}`);
    return found;
  }

  #arguments(): readonly Expression[] {
    const values: Expression[] = [];
    do values.push(this.#or());
    while (this.#takeSign(','));
    this.#mustTakeSign(')');
    return values;
  }

  #take(): FilterToken | undefined {
    const token = this.#tokens[this.#next];
    this.#next += 1;
    return token;
  }

  #takeWord(word: string): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'word' || token.text !== word) return false;
    this.#next += 1;
    return true;
  }

  #takeComparison(): ComparisonOperator | undefined {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'word' || !isComparison(token.text)) return undefined;
    this.#next += 1;
    return token.text;
  }

  #takeSign(sign: '(' | ')' | ','): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#next += 1;
    return true;
  }

  #mustTakeSign(sign: ')'): void {
    if (!this.#takeSign(sign)) throw this.#unexpected();
  }

  #unexpected(back = 0) {
    const token = this.#tokens[this.#next - back];
    if (!token) return filterError('it ends too early');
    return filterError(`"${token.kind === 'integer' ? token.value : token.text}" is not expected there`);
  }
}

function isComparison(word: string): word is ComparisonOperator {
  return COMPARISONS.has(word);
}
