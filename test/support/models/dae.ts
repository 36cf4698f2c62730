const identity = '1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1';

/** A COLLADA document around what is given. */
export function dae({ asset = '<unit meter="1"/><up_axis>Y_UP</up_axis>', libraries = '', nodes = '' }): Uint8Array {
  return Buffer.from(`<?xml version="1.0" encoding="utf-8"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><contributor><authoring_tool>made by hand</authoring_tool></contributor>${asset}</asset>
${libraries}
<library_visual_scenes><visual_scene id="scene" name="scene">${nodes}</visual_scene></library_visual_scenes>
<scene><instance_visual_scene url="#scene"/></scene>
</COLLADA>`);
}

/** A triangle of 1 × 2 × 3, whose colour is an image if one is given. */
export function triangleDae(image?: string, asset?: string): Uint8Array {
  const libraries =
    image === undefined
      ? geometry('triangle')
      : `<library_images><image id="image"><init_from>${image}</init_from></image></library_images>
<library_effects><effect id="effect"><profile_COMMON>
<newparam sid="surface"><surface type="2D"><init_from>image</init_from></surface></newparam>
<newparam sid="sampler"><sampler2D><source>surface</source></sampler2D></newparam>
<technique sid="t"><phong><diffuse><texture texture="sampler" texcoord="UV"/></diffuse></phong></technique>
</profile_COMMON></effect></library_effects>
<library_materials><material id="paint" name="paint"><instance_effect url="#effect"/></material></library_materials>
${geometry('triangle')}`;
  const material =
    image === undefined
      ? ''
      : '<bind_material><technique_common><instance_material symbol="paint" target="#paint"/></technique_common></bind_material>';
  const nodes = `<node id="root" name="root"><instance_geometry url="#triangle">${material}</instance_geometry></node>`;
  return dae({ libraries, nodes, ...(asset === undefined ? {} : { asset }) });
}

/** Triangles of materials that each have a transparency, as COLLADA writes it around `transparent`. */
export function transparentDae(transparencies: readonly number[], opaque = ''): Uint8Array {
  const effects = transparencies.map(
    (transparency, i) => `<effect id="effect${i}"><profile_COMMON><technique sid="t"><phong>
<diffuse><color>1 0 0 1</color></diffuse><transparent${opaque}><color>1 1 1 1</color></transparent>
<transparency><float>${transparency}</float></transparency></phong></technique></profile_COMMON></effect>`,
  );
  const materials = transparencies.map(
    (_, i) => `<material id="paint${i}" name="paint${i}"><instance_effect url="#effect${i}"/></material>`,
  );
  const nodes = transparencies.map(
    (
      _,
      i,
    ) => `<node id="node${i}" name="node${i}"><translate>${i} 0 0</translate><instance_geometry url="#triangle"><bind_material>
<technique_common><instance_material symbol="paint" target="#paint${i}"/></technique_common></bind_material></instance_geometry></node>`,
  );
  const libraries = `<library_effects>${effects.join('')}</library_effects><library_materials>${materials.join('')}</library_materials>`;
  return dae({ libraries: libraries + geometry('triangle'), nodes: nodes.join('') });
}

/**
 * Two triangles that hang on the same joints, each bound in a place of its own. Each vertex has six influences, which weigh 12 together, the
 * strongest last.
 */
export function skinnedDae(): Uint8Array {
  const joints = Array.from({ length: 6 }, (_, i) => `joint${i}`);
  const weights = [1, 1, 1, 1, 3, 5];
  const skin = (id: string, shift: number) => {
    const binding = joints.map(() => `1 0 0 ${shift} 0 1 0 0 0 0 1 0 0 0 0 1`).join(' ');
    const influences = [0, 1, 2].map(() => joints.map((_, i) => `${i} ${i}`).join(' ')).join(' ');
    return `<controller id="skin-${id}"><skin source="#${id}"><bind_shape_matrix>${identity}</bind_shape_matrix>
<source id="${id}-j"><Name_array id="${id}-ja" count="6">${joints.join(' ')}</Name_array>${accessor(`${id}-ja`, 6, 1, ['JOINT:name'])}</source>
<source id="${id}-b"><float_array id="${id}-ba" count="96">${binding}</float_array>${accessor(`${id}-ba`, 6, 16, ['TRANSFORM:float4x4'])}</source>
<source id="${id}-w"><float_array id="${id}-wa" count="6">${weights.join(' ')}</float_array>${accessor(`${id}-wa`, 6, 1, ['WEIGHT:float'])}</source>
<joints><input semantic="JOINT" source="#${id}-j"/><input semantic="INV_BIND_MATRIX" source="#${id}-b"/></joints>
<vertex_weights count="3"><input semantic="JOINT" source="#${id}-j" offset="0"/><input semantic="WEIGHT" source="#${id}-w" offset="1"/>
<vcount>6 6 6</vcount><v>${influences}</v></vertex_weights></skin></controller>`;
  };
  const chain = joints.map((name) => `<node id="${name}" name="${name}" sid="${name}" type="JOINT"/>`).join('');
  const user = (id: string) =>
    `<node id="${id}-node" name="${id}"><instance_controller url="#skin-${id}"><skeleton>#joint0</skeleton></instance_controller></node>`;
  return dae({
    libraries: `${geometry('left')}${geometry('right')}<library_controllers>${skin('left', 1)}${skin('right', -4)}</library_controllers>`,
    nodes: `<node id="bones" name="bones">${chain}</node>${user('left')}${user('right')}`,
  });
}

/** Two triangles with one edge, as one mesh of four vertices; each vertex lies at x = its number, and a joint of that number alone holds it. */
export function skinnedQuadDae(): Uint8Array {
  const joints = [0, 1, 2, 3].map((i) => `joint${i}`);
  const positions = [0, 1, 2, 3].map((i) => `${i} ${i % 2} 0`).join(' ');
  const bindings = joints.map(() => identity).join(' ');
  const chain = joints.map((name) => `<node id="${name}" name="${name}" sid="${name}" type="JOINT"/>`).join('');
  return dae({
    libraries: `<library_geometries><geometry id="quad" name="quad"><mesh>
<source id="p"><float_array id="pa" count="12">${positions}</float_array>${accessor('pa', 4, 3, ['X:float', 'Y:float', 'Z:float'])}</source>
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="2"><input semantic="VERTEX" source="#v" offset="0"/><p>3 1 2 0 2 1</p></triangles>
</mesh></geometry></library_geometries>
<library_controllers><controller id="skin"><skin source="#quad"><bind_shape_matrix>${identity}</bind_shape_matrix>
<source id="j"><Name_array id="ja" count="4">${joints.join(' ')}</Name_array>${accessor('ja', 4, 1, ['JOINT:name'])}</source>
<source id="b"><float_array id="ba" count="64">${bindings}</float_array>${accessor('ba', 4, 16, ['TRANSFORM:float4x4'])}</source>
<source id="w"><float_array id="wa" count="1">1</float_array>${accessor('wa', 1, 1, ['WEIGHT:float'])}</source>
<joints><input semantic="JOINT" source="#j"/><input semantic="INV_BIND_MATRIX" source="#b"/></joints>
<vertex_weights count="4"><input semantic="JOINT" source="#j" offset="0"/><input semantic="WEIGHT" source="#w" offset="1"/>
<vcount>1 1 1 1</vcount><v>0 0 1 0 2 0 3 0</v></vertex_weights></skin></controller></library_controllers>`,
    nodes: `<node id="bones" name="bones">${chain}</node>
<node id="user" name="user"><instance_controller url="#skin"><skeleton>#joint0</skeleton></instance_controller></node>`,
  });
}

/** A source of numbers, with a name for each number of a value. */
export function daeSource(id: string, values: string, params: string): string {
  const names = params.split(' ').map((name) => `${name}:float`);
  const count = values.trim().split(/\s+/).length;
  return `<source id="${id}"><float_array id="${id}-a" count="${count}">${values}</float_array>${accessor(`${id}-a`, Math.floor(count / names.length), names.length, names)}</source>`;
}

/** A document of one mesh in one node. Its vertices have the id `v`. */
export function meshDae({
  positions = '0 0 0 1 0 0 1 1 0 0 1 0',
  primitives = '<triangles count="1"><input semantic="VERTEX" source="#v" offset="0"/><p>0 1 2</p></triangles>',
  sources = '',
  libraries = '',
  instance = '<instance_geometry url="#mesh"/>',
  transforms = '',
  asset = '<unit meter="1"/><up_axis>Y_UP</up_axis>',
}): string {
  const mesh = `<library_geometries><geometry id="mesh" name="mesh"><mesh>${daeSource('p', positions, 'X Y Z')}${sources}
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
${primitives}</mesh></geometry></library_geometries>`;
  const nodes = `<node id="node" name="node">${transforms}${instance}</node>`;
  return dae({ asset, libraries: mesh + libraries, nodes }).toString();
}

function geometry(id: string): string {
  return `<library_geometries><geometry id="${id}" name="${id}"><mesh>
<source id="${id}-p"><float_array id="${id}-pa" count="9">0 0 0 1 2 0 0 2 3</float_array>${accessor(`${id}-pa`, 3, 3, ['X:float', 'Y:float', 'Z:float'])}</source>
<source id="${id}-t"><float_array id="${id}-ta" count="6">0 0 1 0 1 1</float_array>${accessor(`${id}-ta`, 3, 2, ['S:float', 'T:float'])}</source>
<vertices id="${id}-v"><input semantic="POSITION" source="#${id}-p"/></vertices>
<triangles count="1" material="paint"><input semantic="VERTEX" source="#${id}-v" offset="0"/><input semantic="TEXCOORD" source="#${id}-t" offset="1" set="0"/><p>0 0 1 1 2 2</p></triangles>
</mesh></geometry></library_geometries>`;
}

function accessor(array: string, count: number, stride: number, params: readonly string[]): string {
  const named = params.map((param) => `<param name="${param.split(':')[0]}" type="${param.split(':')[1]}"/>`).join('');
  return `<technique_common><accessor source="#${array}" count="${count}" stride="${stride}">${named}</accessor></technique_common>`;
}
