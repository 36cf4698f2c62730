import { strToU8, zipSync } from 'fflate';

const corners = [
  [0, 0, 0],
  [10, 0, 0],
  [0, 20, 0],
  [0, 0, 30],
];
const vertices = corners.map(([x, y, z]) => `<vertex x="${x}" y="${y}" z="${z}"/>`).join('');
const triangles = ['0 2 1', '0 1 3', '0 3 2', '1 2 3'];

/** A tetrahedron as an object; `looks` are attributes of its triangles. */
export function mesh(id: number, looks: readonly string[] = []): string {
  const faces = triangles.map((triangle, i) => {
    const [a, b, c] = triangle.split(' ');
    return `<triangle v1="${a}" v2="${b}" v3="${c}" ${looks[i] ?? ''}/>`;
  });
  return `<object id="${id}" type="model"><mesh><vertices>${vertices}</vertices><triangles>${faces.join('')}</triangles></mesh></object>`;
}

/** A model of millimetres. */
export function model(resources: string, build = '<item objectid="1"/>'): string {
  return `<model xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>${resources}</resources><build>${build}</build></model>`;
}

/** A package of a model and of other parts. */
export function pack(xml: string, others: Record<string, Uint8Array> = {}): Uint8Array {
  const type = 'http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel';
  return zipSync({
    '[Content_Types].xml': strToU8('<Types/>'),
    '_rels/.rels': strToU8(
      `<Relationships><Relationship Target="/3D/3dmodel.model" Id="r" Type="${type}"/></Relationships>`,
    ),
    '3D/3dmodel.model': strToU8(xml),
    ...others,
  });
}
