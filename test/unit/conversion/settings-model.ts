import { Document, type Material, type Node, type Primitive, WebIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { png } from '../../support/models/index.ts';

export interface SettingsModel {
  readonly document: Document;
  readonly node: Node;
  readonly part: Primitive;
  readonly material: Material;
}

/** A triangle away from the origin with all that settings can change: colours, two texture coordinates, textures, metadata. */
export async function settingsModelGlb(change: (model: SettingsModel) => void = () => undefined): Promise<Uint8Array> {
  const document = new Document();
  const buffer = document.createBuffer();
  const accessor = (type: 'VEC2' | 'VEC3' | 'VEC4', values: number[]) =>
    document.createAccessor().setType(type).setArray(new Float32Array(values)).setBuffer(buffer);
  const texture = (name: string, shade: number) =>
    document
      .createTexture(name)
      .setMimeType('image/png')
      .setImage(png(4, [shade, 255 - shade, shade]));
  const material = document
    .createMaterial('paint')
    .setBaseColorFactor([0.5, 0.25, 1, 1])
    .setBaseColorTexture(texture('color', 10))
    .setNormalTexture(texture('normal', 50))
    .setMetallicRoughnessTexture(texture('surface', 90))
    .setOcclusionTexture(texture('occlusion', 130))
    .setEmissiveTexture(texture('emissive', 170))
    .setEmissiveFactor([0.5, 0.5, 0.5])
    .setExtras({ finish: 'matt', cost: 3 });
  const part = document
    .createPrimitive()
    .setAttribute('POSITION', accessor('VEC3', [1, 2, 3, 2, 2, 3, 1, 4, 3]))
    .setAttribute('NORMAL', accessor('VEC3', [0, 0, 1, 0, 0, 1, 0, 0, 1]))
    .setAttribute('TEXCOORD_0', accessor('VEC2', [0, 0, 1, 0, 0, 1]))
    .setAttribute('TEXCOORD_1', accessor('VEC2', [0, 0, 1, 0, 0, 0.5]))
    .setAttribute('COLOR_0', accessor('VEC4', [0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 0, 0, 0, 1]))
    .setMaterial(material);
  const node = document
    .createNode('panel')
    .setMesh(document.createMesh('panel').addPrimitive(part).setExtras({ parts: 1 }))
    .setExtras({ partNumber: 'A-1', partName: 'panel', weight: 2 });
  document.getRoot().setDefaultScene(document.createScene('all').addChild(node));
  change({ document, node, part, material });
  return await new WebIO().registerExtensions(ALL_EXTENSIONS).writeBinary(document);
}
