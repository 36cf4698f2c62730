import {
  AnimationMixer,
  Box3,
  Mesh,
  NeutralToneMapping,
  type Object3D,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  Texture,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { RoomEnvironment } from 'three/addons/environments/RoomEnvironment.js';
import type { GLTF } from 'three/addons/loaders/GLTFLoader.js';
import { loadAsset } from './load-asset.ts';

/** Where the viewer looks from when it frames an asset: the front, a little from the right and above. */
const VIEW_DIRECTION = new Vector3(0.75, 0.45, 1).normalize();

const CORNERS = [-1, 1].flatMap((x) => [-1, 1].flatMap((y) => [-1, 1].map((z) => new Vector3(x, y, z))));

/** Edge of the lighting's texture: enough for rough surfaces and small mirrors, a quarter of the work of the usual 256. */
const LIGHTING_PIXELS = 128;

/** The canvas with one asset in it. Draws only when something has changed: an idle viewer costs nothing. */
export class Stage {
  readonly #renderer: WebGLRenderer;
  readonly #scene = new Scene();
  readonly #camera = new PerspectiveCamera(35);
  readonly #controls: OrbitControls;
  #asset: Object3D | undefined;
  #mixer: AnimationMixer | undefined;
  #changed = true;
  #drawnAt = 0;

  /** @throws Error where the browser has no WebGL 2 */
  constructor(canvas: HTMLCanvasElement) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.#renderer.toneMapping = NeutralToneMapping;
    this.#scene.environmentIntensity = 0.75;
    this.#controls = new OrbitControls(this.#camera, canvas);
    this.#controls.enableDamping = true;
    this.#controls.addEventListener('change', () => this.#touch());
    canvas.addEventListener('dblclick', () => this.#frame());
    new ResizeObserver(() => this.#fit(canvas)).observe(canvas);
    this.#renderer.setAnimationLoop((at) => this.#draw(at));
  }

  /** Shows the asset in place of the one before it. @returns its triangles, as they are drawn */
  async show(url: string): Promise<number> {
    const gltf = await loadAsset(url, this.#renderer);
    this.clear();
    // Not before it is needed: without a graphics card it takes seconds.
    this.#scene.environment ??= lightingOf(this.#renderer);
    this.#asset = gltf.scene;
    this.#scene.add(gltf.scene);
    this.#mixer = playFirstAnimation(gltf);
    this.#frame();
    return countTriangles(gltf.scene);
  }

  clear(): void {
    if (this.#asset === undefined) return;
    this.#scene.remove(this.#asset);
    this.#asset.traverse(dispose);
    this.#asset = undefined;
    this.#mixer = undefined;
    this.#touch();
  }

  /** Puts the camera where the whole asset fills the view. */
  #frame(): void {
    if (this.#asset === undefined) return;
    const box = new Box3().setFromObject(this.#asset, true);
    const center = box.getCenter(new Vector3());
    const distance = distanceToFrame(box, this.#camera);
    this.#camera.position.copy(center).addScaledVector(VIEW_DIRECTION, distance);
    this.#camera.near = distance / 1000;
    this.#camera.far = distance * 100;
    this.#camera.updateProjectionMatrix();
    this.#controls.target.copy(center);
    this.#controls.minDistance = distance / 50;
    this.#controls.maxDistance = distance * 10;
    this.#controls.update();
    this.#touch();
  }

  #fit(canvas: HTMLCanvasElement): void {
    const { clientWidth, clientHeight } = canvas;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.#renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    this.#renderer.setSize(clientWidth, clientHeight, false);
    this.#camera.aspect = clientWidth / clientHeight;
    this.#camera.updateProjectionMatrix();
    this.#touch();
  }

  /** @param at the frame's time, in milliseconds */
  #draw(at: number): void {
    this.#controls.update();
    this.#mixer?.update((at - this.#drawnAt) / 1000);
    this.#drawnAt = at;
    if (!this.#changed && this.#mixer === undefined) return;
    this.#changed = false;
    this.#renderer.render(this.#scene, this.#camera);
  }

  #touch(): void {
    this.#changed = true;
  }
}

/** A room with lamps: even light from all around, and something for metal to mirror. */
function lightingOf(renderer: WebGLRenderer): Texture {
  const room = new RoomEnvironment();
  const generator = new PMREMGenerator(renderer);
  const { texture } = generator.fromScene(room, 0.04, 0.1, 100, { size: LIGHTING_PIXELS });
  room.dispose();
  generator.dispose();
  return texture;
}

/** How far from the middle of the box the camera must be to see all of its corners, with some room around them. */
function distanceToFrame(box: Box3, camera: PerspectiveCamera): number {
  const right = new Vector3(0, 1, 0).cross(VIEW_DIRECTION).normalize();
  const up = VIEW_DIRECTION.clone().cross(right);
  const slope = Math.tan((camera.fov * Math.PI) / 360);
  const half = box.getSize(new Vector3()).multiplyScalar(0.5);
  const distances = CORNERS.map((corner) => {
    const at = corner.clone().multiply(half);
    return at.dot(VIEW_DIRECTION) + Math.max(Math.abs(at.dot(right)) / camera.aspect, Math.abs(at.dot(up))) / slope;
  });
  return Math.max(...distances) * 1.1 || 1;
}

function playFirstAnimation({ scene, animations }: GLTF): AnimationMixer | undefined {
  const [first] = animations;
  if (first === undefined) return undefined;
  const mixer = new AnimationMixer(scene);
  mixer.clipAction(first).play();
  return mixer;
}

function countTriangles(asset: Object3D): number {
  let triangles = 0;
  asset.traverse((object) => {
    if (!(object instanceof Mesh)) return;
    const { index, attributes } = object.geometry;
    const vertices = index?.count ?? attributes['position']?.count ?? 0;
    const instances = 'count' in object && typeof object.count === 'number' ? object.count : 1;
    triangles += (vertices / 3) * instances;
  });
  return Math.floor(triangles);
}

function dispose(object: Object3D): void {
  if (!(object instanceof Mesh)) return;
  object.geometry.dispose();
  for (const material of Array.isArray(object.material) ? object.material : [object.material]) {
    for (const value of Object.values(material)) if (value instanceof Texture) value.dispose();
    material.dispose();
  }
}
