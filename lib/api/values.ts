import { z } from 'zod';

export const instant = z.iso.datetime();

/** A caller's id as tokens give it; it stands in paths, records and, later, in Web PubSub, which takes no slash. */
const subject = z.string().regex(/^[A-Za-z0-9._@:-]{1,128}$/, "must be 'clients' or a caller's object id");

/** Who may read a record beside its owner and Administrators. */
export const readers = z
  .array(subject)
  .max(100)
  .transform((given) => [...new Set(given)])
  .meta({ description: "Object ids of callers who may read it; 'clients' stands for every Client." });

/** RFC 9457. `type` is stable; `field` names the part of the request that is wrong. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    field: z.string().optional(),
  })
  .meta({ id: 'Problem' });
