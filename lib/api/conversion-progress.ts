import { z } from 'zod';

/** How far a running conversion is, with the sizes that are known by then; of time nothing is promised. */
export const conversionProgress = z
  .object({
    phase: z.enum(['reading', 'importing', 'optimising', 'compressing', 'validating', 'writing']),
    inputBytes: z.int().nonnegative().optional(),
    triangles: z.int().nonnegative().optional(),
    vertices: z.int().nonnegative().optional(),
    outputBytes: z.int().nonnegative().optional(),
  })
  .meta({ id: 'ConversionProgress' });
