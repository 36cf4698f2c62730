import { type ApiError, badRequest } from './api-error.ts';

/** The connection that a filter is asked about. */
export interface FilterSubject {
  readonly connectionId: string;
  readonly userId: string | undefined;
  readonly groups: ReadonlySet<string>;
  readonly protocol: string | undefined;
}

export type Value = string | number | boolean | null | ReadonlySet<string>;
export type FilterType = 'string' | 'integer' | 'boolean' | 'collection' | 'null';

/** A part of a filter, its type checked. A value of any type may still be null. */
export interface Expression {
  readonly type: FilterType;
  readonly evaluate: (subject: FilterSubject) => Value;
}

export function filterError(why: string): ApiError {
  return badRequest(`The filter is invalid: ${why}.`, 'filter');
}

export function constant(type: FilterType, value: Value): Expression {
  return { type, evaluate: () => value };
}

/** A property of the connection; undefined for a name that it does not have. Names match in any case. */
export function propertyOf(name: string): Expression | undefined {
  switch (name.toLowerCase()) {
    case 'connectionid':
      return { type: 'string', evaluate: ({ connectionId }) => connectionId };
    case 'userid':
      return { type: 'string', evaluate: ({ userId }) => userId ?? null };
    case 'groups':
      return { type: 'collection', evaluate: ({ groups }) => groups };
    case 'protocol':
      return { type: 'string', evaluate: ({ protocol }) => protocol ?? null };
    default:
      return undefined;
  }
}

/** `and`, `or`: every operand must be a condition. */
export function combine(operator: 'and' | 'or', operands: readonly Expression[]): Expression {
  const [first] = operands;
  if (first && operands.length === 1) return first;
  for (const operand of operands) mustBeCondition(operand, operator);
  return operator === 'and'
    ? { type: 'boolean', evaluate: (subject) => operands.every(({ evaluate }) => evaluate(subject) === true) }
    : { type: 'boolean', evaluate: (subject) => operands.some(({ evaluate }) => evaluate(subject) === true) };
}

export function negate(operand: Expression): Expression {
  mustBeCondition(operand, 'not');
  return { type: 'boolean', evaluate: (subject) => operand.evaluate(subject) !== true };
}

const ORDERS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  gt: (left, right) => left > right,
  ge: (left, right) => left >= right,
  lt: (left, right) => left < right,
  le: (left, right) => left <= right,
};

export type ComparisonOperator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';

/** Values of different types are not equal; only numbers have an order, and null is on neither side of it. */
export function compare(operator: ComparisonOperator, left: Expression, right: Expression): Expression {
  if (operator === 'eq') {
    return { type: 'boolean', evaluate: (subject) => left.evaluate(subject) === right.evaluate(subject) };
  }
  if (operator === 'ne') {
    return { type: 'boolean', evaluate: (subject) => left.evaluate(subject) !== right.evaluate(subject) };
  }
  for (const { type } of [left, right]) {
    if (type !== 'integer' && type !== 'null') throw filterError(`${operator} compares numbers, not a ${type}`);
  }
  const order = ORDERS[operator];
  return {
    type: 'boolean',
    evaluate(subject) {
      const [one, other] = [left.evaluate(subject), right.evaluate(subject)];
      return typeof one === 'number' && typeof other === 'number' && order?.(one, other) === true;
    },
  };
}

/** Whether a value is in the groups of the connection. */
export function inCollection(item: Expression, collection: Expression): Expression {
  if (collection.type !== 'collection') throw filterError('what follows "in" must be a list or groups');
  return {
    type: 'boolean',
    evaluate(subject) {
      const [value, all] = [item.evaluate(subject), collection.evaluate(subject)];
      return typeof value === 'string' && all instanceof Set && all.has(value);
    },
  };
}

/** Whether a value is in a list of literals. */
export function inList(item: Expression, list: ReadonlySet<Value>): Expression {
  return { type: 'boolean', evaluate: (subject) => list.has(item.evaluate(subject)) };
}

function mustBeCondition({ type }: Expression, operator: string): void {
  if (type !== 'boolean') throw filterError(`"${operator}" takes conditions, not a ${type}`);
}
