import type { Document, Node } from '@gltf-transform/core';
import { EXTMeshGPUInstancing, type InstancedMesh } from '@gltf-transform/extensions';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { accessorConverter } from './convert-accessor.ts';

/** Components of what places an instance: EXT_mesh_gpu_instancing. */
const SIZES: Readonly<Record<string, number>> = { TRANSLATION: 3, ROTATION: 4, SCALE: 3 };

/**
 * Has all attributes of instances say something of as many, as viewers show them: those that all of them have.
 * @returns a warning for each node of which instances are left out, or what places them
 */
export function mendInstances(document: Document): ConversionWarning[] {
  const convert = accessorConverter();
  return document
    .getRoot()
    .listNodes()
    .flatMap((node) => {
      const instances = node.getExtension<InstancedMesh>(EXTMeshGPUInstancing.EXTENSION_NAME);
      return instances === null || mendInstance(node, instances, convert) ? [] : [warning(node)];
    });
}

function mendInstance(node: Node, instances: InstancedMesh, convert: ReturnType<typeof accessorConverter>): boolean {
  const placing = instances.listSemantics().filter((semantic) => SIZES[semantic] !== undefined);
  const wrong = placing.filter((semantic) => instances.getAttribute(semantic)?.getElementSize() !== SIZES[semantic]);
  for (const semantic of wrong) instances.setAttribute(semantic, null);
  const attributes = instances.listSemantics();
  const counts = attributes.map((semantic) => instances.getAttribute(semantic)?.getCount() ?? 0);
  const count = Math.min(...counts);
  if (attributes.length === 0) node.setExtension(EXTMeshGPUInstancing.EXTENSION_NAME, null);
  for (const semantic of attributes) {
    const attribute = instances.getAttribute(semantic);
    if (attribute !== null) {
      instances.setAttribute(semantic, convert(attribute, { sizes: [], kind: 'number', filler: 0 }, count));
    }
  }
  return wrong.length === 0 && counts.every((one) => one === count);
}

function warning(node: Node): ConversionWarning {
  return {
    code: 'instances_mended',
    title: 'Instances that are not all placed left out',
    details: { node: node.getName() },
  };
}
