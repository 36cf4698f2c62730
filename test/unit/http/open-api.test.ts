import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type Route, routes } from '#lib/api';
import { conversionSettings } from '#lib/conversion';
import { openApiDocument } from '#lib/http';

const operation = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  responses: z.record(z.string(), z.unknown()),
});
const description = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string().startsWith('/'), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});
const document = openApiDocument({ ConversionSettings: conversionSettings });

test('the description is valid OpenAPI 3.1', async () => {
  expect(await new Validator().validate(JSON.parse(JSON.stringify(document)))).toMatchObject({ valid: true });
});

test('it has every route at its path from the root, and says who may call it', () => {
  const { paths } = description.parse(document);
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`),
  );
  const all = Object.entries<Route>(routes).map(([name, { method, path }]) => `${name} ${method} ${path}`);
  expect(described.sort()).toEqual(all.sort());
  for (const [name, { method, path, access }] of Object.entries<Route>(routes)) {
    const { security, responses } = operation.parse(paths[path]?.[method.toLowerCase()]);
    expect(security.length === 0, name).toBe(access.kind === 'anyone');
    expect('401' in responses, name).toBe(access.kind !== 'anyone');
  }
});

test('what requests are checked with is what it describes', () => {
  const { components } = description.parse(document);
  expect(components.schemas['PipelineRequest']).toMatchObject({
    additionalProperties: false,
    required: ['model'],
    properties: { session: expect.anything(), readers: { maxItems: 100 } },
  });
  expect(components.schemas['ConversionSettings']).toMatchObject({ properties: { scaling: { exclusiveMinimum: 0 } } });
});
