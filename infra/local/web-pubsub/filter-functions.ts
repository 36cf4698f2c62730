import { type Expression, type FilterType, filterError, type Value } from './filter-expression.ts';

interface FilterFunction {
  readonly parameters: readonly (readonly FilterType[])[];
  /** How many of the parameters must be given; all, unless it is said. */
  readonly required?: number;
  readonly type: FilterType;
  /** Given in place of a null argument. */
  readonly ofNull: Value;
  readonly apply: (values: readonly Value[]) => Value;
}

const STRING = ['string'] as const;
const INTEGER = ['integer'] as const;

const FUNCTIONS: Readonly<Record<string, FilterFunction>> = {
  length: {
    parameters: [['string', 'collection']],
    type: 'integer',
    ofNull: null,
    apply: ([value]) => (value instanceof Set ? value.size : text(value).length),
  },
  tolower: ofText((value) => value.toLowerCase()),
  toupper: ofText((value) => value.toUpperCase()),
  trim: ofText((value) => value.trim()),
  contains: testOf((value, part) => value.includes(part)),
  startswith: testOf((value, part) => value.startsWith(part)),
  endswith: testOf((value, part) => value.endsWith(part)),
  indexof: {
    parameters: [STRING, STRING],
    type: 'integer',
    ofNull: -1,
    apply: ([value, part]) => text(value).indexOf(text(part)),
  },
  concat: {
    parameters: [STRING, STRING],
    type: 'string',
    ofNull: null,
    apply: ([value, other]) => text(value) + text(other),
  },
  substring: {
    parameters: [STRING, INTEGER, INTEGER],
    required: 2,
    type: 'string',
    ofNull: null,
    apply: ([value, start, length]) => {
      const from = Math.max(0, Number(start));
      return text(value).slice(from, length === undefined ? undefined : from + Math.max(0, Number(length)));
    },
  },
};

/** @throws ApiError 400 for a function that there is not, and for arguments that it does not take */
export function callOf(name: string, given: readonly Expression[]): Expression {
  const called = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (!called) throw filterError(`there is no function ${name}`);
  const { parameters, required = parameters.length, type, ofNull, apply } = called;
  if (given.length < required || given.length > parameters.length) {
    throw filterError(`the function ${name} takes another number of arguments`);
  }
  for (const [index, argument] of given.entries()) {
    const types = parameters[index] ?? [];
    if (argument.type !== 'null' && !types.includes(argument.type)) {
      throw filterError(`argument ${index + 1} of ${name} must be of type ${types.join(' or ')}`);
    }
  }
  return {
    type,
    evaluate(subject) {
      const values = given.map((argument) => argument.evaluate(subject));
      return values.includes(null) ? ofNull : apply(values);
    },
  };
}

function ofText(change: (value: string) => string): FilterFunction {
  return { parameters: [STRING], type: 'string', ofNull: null, apply: ([value]) => change(text(value)) };
}

function testOf(test: (value: string, part: string) => boolean): FilterFunction {
  const apply = ([value, part]: readonly Value[]) => test(text(value), text(part));
  return { parameters: [STRING, STRING], type: 'boolean', ofNull: false, apply };
}

function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}
