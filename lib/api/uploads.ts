import { z } from 'zod';
import { instant } from './values.ts';

/** What one Put Blob carries at most (REST API versions from 2019-12-12 on), in bytes: an upload's URL allows no staging of blocks. */
export const MAX_UPLOAD_BYTES = 5000 * 2 ** 20;

const fileName = z
  .string()
  .max(500)
  .refine((name) => name.isWellFormed(), 'must be well-formed Unicode')
  .regex(
    /^[^/\\\p{Cc}]+(\/[^/\\\p{Cc}]+)*$/u,
    "must be a file's path below the upload's folder, with / between its parts",
  )
  .refine(
    (path) => !path.split('/').some((part) => /^\.*$/.test(part) || part.endsWith('.')),
    'no part may end with a dot',
  );

/** The body of `POST /api/uploads`: all files of one model, which lie in one new folder. */
export const uploadBody = z
  .strictObject({
    files: z
      .array(z.strictObject({ name: fileName, bytes: z.int().nonnegative() }))
      .min(1)
      .max(1000)
      .refine((files) => new Set(files.map(({ name }) => name)).size === files.length, 'must not name a file twice'),
  })
  .meta({ id: 'UploadRequest' });
export type UploadBody = z.output<typeof uploadBody>;

/** Where each file goes: one `PUT` with `x-ms-blob-type: BlockBlob`, the model last. `blob` is its path in the container of models. */
export const uploadAnswer = z
  .object({
    uploadId: z.string(),
    files: z.array(z.object({ name: z.string(), blob: z.string(), url: z.url(), expiresOn: instant })),
  })
  .meta({ id: 'Upload' });
export type UploadAnswer = z.output<typeof uploadAnswer>;
