import type { TextureInfo, vec2, vec3 } from '@gltf-transform/core';
import { partOfLight } from '../part-of-light.ts';
import { PLAIN_GREY } from '../plain-grey.ts';
import type { DaeElement } from './dae-element.ts';

/** An image that colours something, and how it is placed. */
export interface EffectTexture {
  /** As the document names it. */
  readonly uri: string;
  /** The effect's word for the texture coordinates. */
  readonly texcoord: string;
  readonly wrapS: Wrap;
  readonly wrapT: Wrap;
  readonly offset: vec2;
  readonly scale: vec2;
}

type Wrap = ReturnType<TextureInfo['getWrapS']>;

/** glTF 2.0, 5.26. */
const [CLAMP_TO_EDGE, MIRRORED_REPEAT, REPEAT] = [33071, 33648, 10497] as const;

/** What a material looks like, in glTF's terms. */
export interface Look {
  readonly color: vec3;
  readonly colorTexture: EffectTexture | undefined;
  readonly glow: vec3;
  readonly glowTexture: EffectTexture | undefined;
  readonly bumpTexture: EffectTexture | undefined;
  readonly roughness: number;
  readonly opacity: number;
  readonly opacityTexture: EffectTexture | undefined;
  /** Whether it says which number is opaque. */
  readonly saysOpaque: boolean;
  readonly isDoubleSided: boolean;
  readonly isUnlit: boolean;
}

/** Begins the names of images that lie in the document; their ids follow. */
export const EMBEDDED = 'image in the document: ';

/** What a colour is where nothing is said of it. */
const PLAIN: vec3 = [PLAIN_GREY, PLAIN_GREY, PLAIN_GREY];

/** A material's effect; undefined where it has none that describes light in COLLADA's common way. */
export function readLook(material: DaeElement): Look | undefined {
  const instance = material.child('instance_effect');
  const effect = instance?.find('url', 'effect');
  const profile = effect?.child('profile_COMMON');
  const technique = profile?.child('technique');
  const shader = technique?.all('phong', 'blinn', 'lambert', 'constant')[0];
  if (instance === undefined || effect === undefined || profile === undefined || technique === undefined)
    return undefined;
  return new LookReader({ shader: shader ?? technique, scopes: [instance, technique, profile, effect] }).read();
}

interface Effect {
  readonly shader: DaeElement;
  /** Where parameters are looked for, in this order. */
  readonly scopes: readonly DaeElement[];
}

class LookReader {
  readonly #shader: DaeElement;
  readonly #scopes: readonly DaeElement[];

  constructor({ shader, scopes }: Effect) {
    this.#shader = shader;
    this.#scopes = scopes;
  }

  read(): Look {
    const isUnlit = this.#shader.name === 'constant';
    const glow = this.#color('emission');
    const glowTexture = this.#texture('emission');
    const colorTexture = this.#texture('diffuse');
    const shines = glow !== undefined && Math.max(...glow) > 0;
    // What is not lit has no colour but what it gives off; SketchUp says by its transparency which that is.
    const color =
      (isUnlit && shines ? glow : this.#color('diffuse')) ?? (isUnlit ? this.#color('transparent') : undefined);
    return {
      color: colorTexture === undefined ? (color ?? PLAIN) : [1, 1, 1],
      colorTexture: colorTexture ?? (isUnlit ? glowTexture : undefined),
      glow: isUnlit ? [0, 0, 0] : (glow ?? [0, 0, 0]),
      glowTexture: isUnlit ? undefined : glowTexture,
      bumpTexture: this.#extraTexture('bump'),
      roughness: this.#roughness(),
      ...this.#opacity(),
      opacityTexture: this.#texture('transparent'),
      isDoubleSided: this.#scopes.some((scope) => /^(1|true)/i.test(scope.search('double_sided')?.text ?? '')),
      isUnlit,
    };
  }

  /** Blinn and Phong's exponent as roughness: sharper highlights need some light to be seen. */
  #roughness(): number {
    const [exponent = 0] = this.#numbers('shininess') ?? [];
    const highlights = Math.max(0, ...(this.#color('specular') ?? [0]));
    return Math.sqrt(2 / (Math.max(0, exponent) * Math.min(1, highlights) + 2));
  }

  /** COLLADA 1.4.1, chapter 7, "Determining Transparency". */
  #opacity(): Pick<Look, 'opacity' | 'saysOpaque'> {
    const transparent = this.#shader.child('transparent');
    const [transparency] = this.#numbers('transparency') ?? [];
    const mode = transparent?.get('opaque');
    const [red = 1, green = 1, blue = 1, alpha = 1] = this.#numbers('transparent') ?? [];
    const light = 0.212671 * red + 0.71516 * green + 0.072169 * blue;
    const amount = (mode?.startsWith('RGB') ? light : alpha) * (transparency ?? 1);
    const opacity = partOfLight(mode?.endsWith('ZERO') ? 1 - amount : amount);
    return {
      // An image says it instead.
      opacity: opacity === 0 && transparent?.child('texture') !== undefined ? 1 : opacity,
      saysOpaque: mode !== undefined,
    };
  }

  /** Parts of the light: glTF 2.0, 3.9. */
  #color(name: string): vec3 | undefined {
    const numbers = this.#numbers(name);
    if (numbers === undefined || numbers.length < 3) return undefined;
    const [red = 0, green = 0, blue = 0] = numbers;
    return [partOfLight(red), partOfLight(green), partOfLight(blue)];
  }

  /** What a property says itself, or through a parameter. */
  #numbers(name: string): readonly number[] | undefined {
    const property = this.#shader.child(name);
    const value = property?.all('color', 'float')[0] ?? this.#parameter(property?.child('param')?.get('ref'));
    return value?.text === undefined || value.text === '' ? undefined : value.numbers;
  }

  #parameter(name: string | undefined): DaeElement | undefined {
    if (name === undefined) return undefined;
    for (const scope of this.#scopes) {
      const found = scope.all('setparam', 'newparam').find((param) => (param.get('ref') ?? param.get('sid')) === name);
      const value = found?.children.find((child) => /^(float|color)/.test(child.name));
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #texture(name: string): EffectTexture | undefined {
    return this.#textureOf(this.#shader.child(name)?.child('texture'));
  }

  /** Programs have a property of their own for it. */
  #extraTexture(name: string): EffectTexture | undefined {
    for (const scope of this.#scopes) {
      const property = scope.search(name);
      const texture = this.#textureOf(property?.child('texture'));
      if (texture !== undefined) return texture;
    }
    return undefined;
  }

  #textureOf(texture: DaeElement | undefined): EffectTexture | undefined {
    const name = texture?.get('texture');
    if (texture === undefined || name === undefined) return undefined;
    const sampler = this.#sampler(name);
    const from = sampler === undefined ? name : this.#imageOf(sampler);
    const image = texture.home.find(from, ['image']) ?? texture.home.find(name, ['image']);
    // Some programs name the file where an image should be named.
    const uri = image === undefined ? from : imageUri(image);
    if (uri === '') return undefined;
    const number = (word: string, otherwise: number) => {
      const found = texture.search(word);
      const value = Number.parseFloat(found?.text ?? '');
      return Number.isFinite(value) ? value : otherwise;
    };
    return {
      uri,
      texcoord: texture.get('texcoord') ?? '',
      wrapS: wrapOf(sampler?.child('wrap_s')?.text),
      wrapT: wrapOf(sampler?.child('wrap_t')?.text),
      offset: [number('offsetU', 0), number('offsetV', 0)],
      scale: [number('repeatU', 1), number('repeatV', 1)],
    };
  }

  #sampler(name: string): DaeElement | undefined {
    return this.#newparam(name)?.all('sampler2D', 'samplerRECT', 'samplerCUBE')[0];
  }

  #newparam(name: string): DaeElement | undefined {
    for (const scope of this.#scopes) {
      const found = scope.all('newparam').find((param) => param.get('sid') === name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The name of a sampler's image: COLLADA 1.4 has a surface between them. */
  #imageOf(sampler: DaeElement): string {
    const direct = sampler.child('instance_image')?.get('url');
    if (direct !== undefined) return direct;
    const from = this.#newparam(sampler.child('source')?.text ?? '')
      ?.child('surface')
      ?.child('init_from');
    return from?.child('ref')?.text || (from?.text ?? '');
  }
}

/** As the document writes it; an image that lies in the document is named by what begins all such names. */
function imageUri(image: DaeElement): string {
  const from = image.child('init_from');
  const hex = from?.child('hex') ?? image.child('data');
  if (hex !== undefined || /^data:/i.test(from?.text ?? '')) return `${EMBEDDED}${image.get('id') ?? ''}`;
  return from?.child('ref')?.text || (from?.text ?? '');
}

function wrapOf(word: string | undefined): Wrap {
  if (word === 'MIRROR') return MIRRORED_REPEAT;
  return word === 'CLAMP' || word === 'BORDER' ? CLAMP_TO_EDGE : REPEAT;
}
