/**
 * Stands in for `ndarray-pixels` in the converter's bundle. `@gltf-transform/functions` imports it, and with it a native image library, for
 * functions that the converter does not call; without it the bundle needs no package beside it and starts sooner.
 */
const refuse = (): never => {
  throw new Error('The converter does not decode images.');
};

export { refuse as getPixels, refuse as savePixels };
