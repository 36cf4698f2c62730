import { AnimationChannel, type Document, getBounds, type Node, type Scene, type vec3 } from '@gltf-transform/core';
import { ConversionError } from './conversion-error.ts';
import type { ConversionSettings } from './conversion-settings.ts';

export interface Placement {
  /** Of the scene that is shown, in metres. */
  readonly boundingBox: { readonly min: vec3; readonly max: vec3 };
  /** What moves the model back to where it was; only with `recenterToOrigin`. */
  readonly recenteringOffset?: vec3;
}

/**
 * Scales and moves a model as its settings ask.
 * @throws ConversionError `input_refused` where the scene shows no geometry, or a size that is no number
 */
export function placeModel(document: Document, settings: ConversionSettings): Placement {
  const scene = document.getRoot().getDefaultScene();
  if (scene === null) throw refused('it has no scene to show.');
  if (settings.scaling !== 1) transformRoots(document, settings.scaling, [0, 0, 0]);
  const { min, max } = getBounds(scene);
  if (![...min, ...max].every(Number.isFinite))
    throw refused('its scene shows no geometry: there is nothing to render.');
  if (!settings.recenterToOrigin) return { boundingBox: { min, max } };
  const middle: vec3 = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
  transformRoots(document, 1, [-middle[0], -middle[1], -middle[2]]);
  return { boundingBox: { min: subtract(min, middle), max: subtract(max, middle) }, recenteringOffset: middle };
}

function transformRoots(document: Document, scale: number, offset: vec3): void {
  const scenes = document.getRoot().listScenes();
  for (const root of new Set(scenes.flatMap((scene) => scene.listChildren()))) {
    const node = isAnimated(root) ? wrap(document, scenes, root) : root;
    const [x, y, z] = node.getTranslation();
    const [a, b, c] = node.getScale();
    node.setTranslation([x * scale + offset[0], y * scale + offset[1], z * scale + offset[2]]);
    node.setScale([a * scale, b * scale, c * scale]);
  }
}

/** An animation would overwrite what is written into the node itself. */
function isAnimated(node: Node): boolean {
  return node
    .listParents()
    .some((parent) => parent instanceof AnimationChannel && parent.getTargetPath() !== 'weights');
}

function wrap(document: Document, scenes: readonly Scene[], node: Node): Node {
  const wrapper = document.createNode();
  for (const scene of scenes) {
    if (scene.listChildren().includes(node)) scene.removeChild(node).addChild(wrapper);
  }
  return wrapper.addChild(node);
}

function subtract(a: vec3, b: vec3): vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function refused(what: string): ConversionError {
  return new ConversionError('input_refused', `The model cannot be converted: ${what}`);
}
