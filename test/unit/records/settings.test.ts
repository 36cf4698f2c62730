import { describe, expect, test } from 'vitest';
import { conversionDefinition, pipelineDefinition } from '#lib/records';
import { newConversion, newPipeline, START } from '../../support/records.ts';

const kept = {
  revision: 1,
  sequence: 1,
  createdAt: START.toISOString(),
  updatedAt: START.toISOString(),
};

describe('a record', () => {
  test('that was written when every one had settings is still read', () => {
    const settings = { scaling: 1, recenterToOrigin: false };
    const pipeline = { ...newPipeline('p'), ...kept };
    const old = { ...pipeline, request: { ...pipeline.request, settings } };
    expect(pipelineDefinition.schema.parse(old)).toEqual(old);
    const conversion = { ...newConversion('c'), ...kept, settings };
    expect(conversionDefinition.schema.parse(conversion)).toEqual(conversion);
  });

  test('tells no settings from empty ones', () => {
    const none = conversionDefinition.schema.parse({ ...newConversion('c'), ...kept });
    const empty = conversionDefinition.schema.parse({ ...newConversion('c'), ...kept, settings: {} });
    expect([none.settings, empty.settings]).toEqual([undefined, {}]);
  });
});
