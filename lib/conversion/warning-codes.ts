/**
 * What a conversion warns of, by the code in `result.json` (contract 2.8 has a number for what is missing; others are words of our own), and
 * what came of it. The same fault has the same code in every format.
 */
export const warningCodes = {
  '4004': 'A texture is not there, and its material goes without.',
  animation_left_out: 'Parts of an animation that cannot be played are left out.',
  attribute_mended: 'Vertices have too few, too many or wrong values of an attribute: they are filled up, or left out.',
  columns_ignored: 'Columns of a point cloud that are no colours are left out.',
  content_left_out: 'Content of a kind that is not shown, or not as it is, such as the slices of a 3MF.',
  end_missing: 'The file has no end; it may have been cut off.',
  extension_left_out: 'An extension of glTF that is not known is left out.',
  faces_without_area: 'Faces with fewer than three corners are left out.',
  file_missing: 'A file that the model takes something from, but a texture, is not there.',
  free_forms_left_out: 'Free-form curves and surfaces (NURBS) are left out: only polygons, lines and points are shown.',
  hidden_left_out: 'Objects that are hidden, or not to be built, are left out.',
  instances_mended: 'Instances that are not all placed are left out.',
  joints_unbound: 'Joints have no matrix that binds them, and do not move from where they are.',
  layers_simplified: 'A surface has more layers of materials than can be shown.',
  levels_of_detail_left_out: 'Levels of detail for larger distances are left out.',
  material_unknown: 'A material is of a kind that cannot be shown, and grey instead.',
  mesh_part_empty: 'A mesh part without geometry is left out.',
  more_warnings: 'There are more warnings of the code that is named, which are not listed.',
  node_copied: 'A node lies in several others, and each has a copy of it.',
  opacity_mended: 'What would be invisible by what the model says is shown.',
  override_unused: 'A material override is for no material of the model.',
  positions_lost: 'Positions that are no numbers are left out, with all that they are corners of.',
  reference_missing: 'The model refers to something within itself that is not there.',
  scene_added: 'The model has no scene, or nothing to be built: everything that it holds is shown.',
  scene_root_nested: 'A node at the top of a scene lies in another, too, and is shown once.',
  setting_without_effect: 'A setting or a material override asks for what has no effect.',
  shape_left_out: 'Shapes of a morph that are not there, or have other vertices than its mesh, are left out.',
  size_mended: 'The file says that it is larger than it is, and is whole all the same.',
  skew_left_out: 'Nodes that are skewed are shown without it.',
  skin_joints_missing: 'Joints of a skin are not there; the others hold its mesh.',
  skin_without_joints: 'None of the joints of a skin is there, and its mesh does not move.',
  splats_as_points: 'Gaussian splats are shown as points.',
  tangents_missing: 'An effect of a material needs tangents that cannot be made, and is left out.',
  texcoords_missing:
    'A mesh part lacks the texture coordinates that its textures need: it is shown without, or with one colour of each.',
  texture_cut_off: 'A texture ends before its last pixels; those that are missing are black.',
  texture_kept: 'A KTX2 texture is larger than it should be, and cannot be made smaller.',
  texture_left_out: 'A texture is of a kind that glTF has no place for.',
  texture_unreadable: 'A texture is no image that can be read, and its material goes without; `reason` says why.',
  value_mended: 'A value that glTF does not allow is replaced by the nearest, or by its default.',
  words_ignored: 'Words that are none of the format are passed over.',
} as const satisfies Readonly<Record<string, string>>;

export type WarningCode = keyof typeof warningCodes;
